#include "lang/import/oci_target.h"

#include <strings.h>

/* ---- ABIs
 * -------------------------------------------------------------------------------------------- */

#define OCI_NATIVE "SCMP_ARCH_NATIVE"

static bool add_abi(struct oci_target *target, enum abi_id abi)
{
    for (size_t i = 0; i < target->abi_count; i++)
        if (target->abis[i] == abi)
            return true;
    if (target->abi_count && abi_get(target->abis[0])->big_endian != abi_get(abi)->big_endian)
        return false;
    target->abis[target->abi_count++] = abi;
    return true;
}

static void add_named(struct oci_target *target, const struct import_text *name,
                      struct diagnostics *diagnostics)
{
    bool native = !strcmp(name->text, OCI_NATIVE);
    const struct abi *abi = native ? abi_get(target->arch) : abi_by_oci_name(name->text);
    if (!abi) {
        report_remark(diagnostics, name->span, "unknown architecture \"%s\", left out", name->text);
        return;
    }
    if (!add_abi(target, abi->id))
        report_error(diagnostics, name->span,
                     "%s and %s differ in endianness, and one filter serves only one",
                     abi_get(target->abis[0])->name, abi->name);
}

static void add_list(struct oci_target *target, const struct import_texts *names,
                     struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < names->count; i++)
        add_named(target, &names->items[i], diagnostics);
}

static const struct oci_arch_map *find_map(const struct oci_profile *profile, const struct abi *abi)
{
    for (size_t i = 0; i < profile->arch_map_count; i++)
        if (abi->oci_name && !strcmp(profile->arch_map[i].architecture.text, abi->oci_name))
            return &profile->arch_map[i];
    return NULL;
}

static bool serves(const struct oci_target *target, enum abi_id abi)
{
    for (size_t i = 0; i < target->abi_count; i++)
        if (target->abis[i] == abi)
            return true;
    return false;
}

static void add_architectures(const struct oci_profile *profile, struct diagnostics *diagnostics,
                              struct oci_target *target)
{
    add_list(target, &profile->architectures, diagnostics);
    if (!target->abi_count) {
        report_error(diagnostics, profile->architectures_span,
                     "no architecture in this list is known");
    } else if (!serves(target, target->arch)) {
        report_warning(diagnostics, profile->architectures_span,
                       "%s is not among the architectures, so all its calls get kill_thread",
                       abi_get(target->arch)->name);
        report_note(diagnostics, NO_SPAN, "--arch says for which machine the profile is read");
    }
}

result oci_target_abis(const struct oci_profile *profile, struct diagnostics *diagnostics,
                       struct oci_target *target)
{
    size_t before = diagnostics->errors;
    if (profile->architectures.count) {
        add_architectures(profile, diagnostics, target);
    } else {
        const struct oci_arch_map *map = find_map(profile, abi_get(target->arch));
        (void)add_abi(target, target->arch);
        if (map)
            add_list(target, &map->sub_architectures, diagnostics);
        else if (profile->arch_map_count)
            report_remark(diagnostics, profile->arch_map_span,
                          "\"archMap\" has no %s: it is served alone", abi_get(target->arch)->name);
    }
    return diagnostics->errors == before ? SUCCESS : FAILURE(ERROR_INPUT);
}

/* ---- includes and excludes
 * ----------------------------------------------------------------------------- */

/* How profiles call machines: Go's names, libseccomp's, and the engines' mixtures of both. */
static const struct {
    const char *name;
    enum abi_id abi;
} arch_words[] = {
    {"amd64", ABI_X86_64},
    {"x86_64", ABI_X86_64},
    {"386", ABI_I386},
    {"x86", ABI_I386},
    {"i386", ABI_I386},
    {"x32", ABI_X32},
    {"amd64p32", ABI_X32},
    {"arm", ABI_ARM},
    {"armbe", ABI_ARMEB},
    {"arm64", ABI_AARCH64},
    {"aarch64", ABI_AARCH64},
    {"arm64be", ABI_AARCH64_BE},
    {"riscv64", ABI_RISCV64},
    {"riscv", ABI_RISCV32},
    {"riscv32", ABI_RISCV32},
    {"loong64", ABI_LOONGARCH64},
    {"loongarch64", ABI_LOONGARCH64},
    {"s390x", ABI_S390X},
    {"s390", ABI_S390},
    {"ppc64", ABI_PPC64},
    {"ppc64le", ABI_PPC64LE},
    {"ppc", ABI_PPC},
    {"mips", ABI_MIPS},
    {"mipsle", ABI_MIPSEL},
    {"mipsel", ABI_MIPSEL},
    {"mips64", ABI_MIPS64},
    {"mips64le", ABI_MIPS64EL},
    {"mipsel64", ABI_MIPS64EL},
    {"mips64n32", ABI_MIPSN32},
    {"mips64p32", ABI_MIPSN32},
    {"mipsel64n32", ABI_MIPSN32EL},
    {"mips3l64n32", ABI_MIPSN32EL},
    {"mips64p32le", ABI_MIPSN32EL},
    {"parisc", ABI_PARISC},
    {"parisc64", ABI_PARISC64},
    {"m68k", ABI_M68K},
    {"sh", ABI_SH},
    {"sheb", ABI_SHEB},
};

static enum abi_id arch_by_word(const char *word)
{
    for (size_t i = 0; i < COUNT_OF(arch_words); i++)
        if (!strcmp(arch_words[i].name, word))
            return arch_words[i].abi;
    return ABI_NONE;
}

static bool lists_arch(const struct import_texts *arches, enum abi_id arch)
{
    for (size_t i = 0; i < arches->count; i++)
        if (arch_by_word(arches->items[i].text) == arch)
            return true;
    return false;
}

/* The kernel's capabilities without their prefix, <linux/capability.h> up to CAP_LAST_CAP of 6.12.
 */
static const char *const capability_names[] = {
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
};

#define ALL_CAPABILITIES "ALL"

/* "CAP_SYS_ADMIN" and "sys_admin" are one capability. */
static const char *without_prefix(const char *capability)
{
    return strncasecmp(capability, "CAP_", 4) ? capability : capability + 4;
}

static bool capability_known(const char *capability)
{
    for (size_t i = 0; i < COUNT_OF(capability_names); i++)
        if (!strcasecmp(capability_names[i], without_prefix(capability)))
            return true;
    return false;
}

static bool holds(const struct oci_target *target, const char *capability)
{
    for (size_t i = 0; i < target->capability_count; i++)
        if (!strcasecmp(without_prefix(target->capabilities[i]), without_prefix(capability)) ||
            !strcasecmp(target->capabilities[i], ALL_CAPABILITIES))
            return true;
    return false;
}

void oci_held_remarks(const struct oci_target *target, struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < target->capability_count; i++)
        if (!capability_known(target->capabilities[i]) &&
            strcasecmp(target->capabilities[i], ALL_CAPABILITIES))
            report_warning(diagnostics, NO_SPAN, "unknown capability \"%s\" is given",
                           target->capabilities[i]);
}

static size_t count_held(const struct oci_target *target, const struct import_texts *capabilities)
{
    size_t held = 0;
    for (size_t i = 0; i < capabilities->count; i++)
        held += holds(target, capabilities->items[i].text);
    return held;
}

static bool kernel_reaches(const struct oci_target *target, const struct oci_filter *filter)
{
    if (!target->kernel_major && !target->kernel_minor)
        return true;
    return target->kernel_major != filter->kernel_major
               ? target->kernel_major > filter->kernel_major
               : target->kernel_minor >= filter->kernel_minor;
}

bool oci_entry_applies(const struct oci_target *target, const struct oci_entry *entry)
{
    const struct oci_filter *in = &entry->includes, *out = &entry->excludes;
    bool excluded = lists_arch(&out->arches, target->arch) ||
                    count_held(target, &out->capabilities) ||
                    (out->has_kernel && kernel_reaches(target, out));
    bool included = (!in->arches.count || lists_arch(&in->arches, target->arch)) &&
                    count_held(target, &in->capabilities) == in->capabilities.count &&
                    (!in->has_kernel || kernel_reaches(target, in));
    return included && !excluded;
}

void oci_filter_remarks(const struct oci_filter *filter, struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < filter->arches.count; i++)
        if (arch_by_word(filter->arches.items[i].text) == ABI_NONE)
            report_remark(diagnostics, filter->arches.items[i].span,
                          "unknown architecture \"%s\": no machine is one",
                          filter->arches.items[i].text);
    for (size_t i = 0; i < filter->capabilities.count; i++)
        if (!capability_known(filter->capabilities.items[i].text))
            report_remark(diagnostics, filter->capabilities.items[i].span,
                          "unknown capability \"%s\"", filter->capabilities.items[i].text);
}
