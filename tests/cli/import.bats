# Importing other people's formats. The importers' own golden files are in tests/import.
load support

profile() {
    cat >"$T/profile.json" <<'JSON'
{
    "defaultAction": "SCMP_ACT_ERRNO",
    "archMap": [{ "architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86"] }],
    "syscalls": [
        { "names": ["read", "write", "exit_group"], "action": "SCMP_ACT_ALLOW" },
        { "names": ["socket"], "action": "SCMP_ACT_ALLOW", "args": [
            { "index": 0, "value": 1, "op": "SCMP_CMP_GE" }, { "index": 0, "value": 10, "op": "SCMP_CMP_LE" } ] },
        { "names": ["chroot"], "action": "SCMP_ACT_ALLOW", "includes": { "caps": ["CAP_SYS_CHROOT"] } },
        { "names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": { "minKernel": "4.8" } }
    ]
}
JSON
}

import() { bpfproof import oci "$T/profile.json" --arch x86_64 -o "$T/profile.policy" "$@"; }

verdict() { bpfproof simulate "$T/profile.bpf" "$1" --json 2>/dev/null | json calls.0.verdict; }

@test "an imported profile compiles, proved, and means what the profile means" {
    profile
    import
    bpfproof compile "$T/profile.policy" -o "$T/profile.bpf" --json >"$T/out.json"
    [ "$(json proof <"$T/out.json")" = PROVED ]
    [ "$(json width_safety <"$T/out.json")" = PROVED ]
    [ "$(verdict 'x86_64:read(0, 0, 0)')" = allow ]
    [ "$(verdict 'i386:read(0, 0, 0)')" = allow ]
    [ "$(verdict 'x32:read(0, 0, 0)')" = kill_thread ]
    [ "$(verdict 'x86_64:socket(0, 1, 0)')" = 'errno(EPERM)' ]
    [ "$(verdict 'x86_64:socket(1, 1, 0)')" = allow ]
    [ "$(verdict 'x86_64:socket(10, 1, 0)')" = allow ]
    [ "$(verdict 'x86_64:socket(11, 1, 0)')" = 'errno(EPERM)' ]
    [ "$(verdict 'x86_64:socket(0x100000001, 1, 0)')" = allow ]     # the kernel sees 1
    [ "$(verdict 'x86_64:chroot(0)')" = 'errno(EPERM)' ]
    [ "$(verdict 'x86_64:ptrace(0, 0, 0, 0)')" = allow ]
}

@test "capabilities and the kernel change what applies" {
    profile
    import --cap CAP_SYS_CHROOT --kernel 4.7
    bpfproof compile "$T/profile.policy" -o "$T/profile.bpf"
    [ "$(verdict 'x86_64:chroot(0)')" = allow ]
    [ "$(verdict 'x86_64:ptrace(0, 0, 0, 0)')" = 'errno(EPERM)' ]
}

@test "an index is a register, whatever the manual numbers its parameters" {
    profile
    sed -i 's/\["socket"\]/["prctl"]/; s/"index": 0/"index": 2/g' "$T/profile.json"
    import
    bpfproof compile "$T/profile.policy" -o "$T/profile.bpf"
    [ "$(verdict 'x86_64:prctl(0, 0, 5, 0, 0)')" = allow ]
    [ "$(verdict 'x86_64:prctl(0, 5, 0, 0, 0)')" = 'errno(EPERM)' ]
    [ "$(verdict 'i386:prctl(0, 0, 5, 0, 0)')" = allow ]
}

@test "what is imported is in the form that fmt prints" {
    profile
    import
    bpfproof fmt "$T/profile.policy" | cmp - "$T/profile.policy"
}

@test "a broken profile is refused with its place, and nothing is written" {
    profile
    sed -i 's/SCMP_CMP_GE/SCMP_CMP_XX/' "$T/profile.json"
    run import
    [ "$status" -eq 2 ]
    [[ $output == *"profile.json:7:"*"error: unknown operator \"SCMP_CMP_XX\""* ]]
    [ ! -e "$T/profile.policy" ]
}

@test "an unknown call is a note, an unknown field a warning, and both leave a policy" {
    profile
    sed -i 's/"exit_group"/"exit_group", "exit_groups"/; s/"minKernel"/"minKernal"/' "$T/profile.json"
    run import
    [ "$status" -eq 0 ]
    [[ $output == *"note: unknown call \"exit_groups\""* ]]
    [[ $output == *"warning: unknown field \"minKernal\""* ]]
    [ -s "$T/profile.policy" ]
}

@test "the profiles that engines ship: imported and compiled, proved" {
    found=
    for file in /usr/share/containers/seccomp.json ../shared/corpus/policies/oci/*.json; do
        [ -e "$file" ] || continue
        found=yes
        echo "$file"
        bpfproof import oci "$file" --arch x86_64 -o "$T/profile.policy"
        bpfproof compile "$T/profile.policy" -o "$T/profile.bpf" --json >"$T/out.json"
        [ "$(json proof <"$T/out.json")" = PROVED ]
        [ "$(json arch_isolation <"$T/out.json")" = PROVED ]
        [ "$(json width_safety <"$T/out.json")" = PROVED ]
    done
    [ -n "$found" ] || skip "no profiles here"
}

# A profile of the seccompiler crate for threads `vmm` and `api`.
threads() {
    cat >"$T/threads.json" <<'JSON'
{
    "vmm": { "default_action": "trap", "filter_action": "allow", "filter": [
        { "syscall": "read" },
        { "syscall": "ioctl", "args": [ { "index": 1, "type": "dword", "op": "eq", "val": 44672, "comment": "KVM_RUN" } ] },
        { "syscall": "mmap", "args": [ { "index": 3, "type": "dword", "op": "eq", "val": 34 },
                                       { "index": 2, "type": "dword", "op": { "masked_eq": 4 }, "val": 0 } ] }
    ] },
    "api": { "mismatch_action": { "errno": 1 }, "match_action": "allow", "filter": [ { "syscall": "write" } ] }
}
JSON
}

@test "a thread's filter of a seccompiler profile compiles, proved, and means what the profile means" {
    threads
    bpfproof import firecracker "$T/threads.json" --thread vmm --arch x86_64 -o "$T/vmm.policy"
    bpfproof fmt "$T/vmm.policy" | cmp - "$T/vmm.policy"
    bpfproof compile "$T/vmm.policy" -o "$T/profile.bpf" --json >"$T/out.json"
    [ "$(json proof <"$T/out.json")" = PROVED ]
    [ "$(verdict 'x86_64:read(0, 0, 0)')" = allow ]
    [ "$(verdict 'x86_64:write(0, 0, 0)')" = 'trap(0)' ]
    [ "$(verdict 'x86_64:ioctl(3, 44672, 0)')" = allow ]
    [ "$(verdict 'x86_64:ioctl(3, 44673, 0)')" = 'trap(0)' ]
    [ "$(verdict 'x86_64:mmap(0, 4096, 3, 34, -1, 0)')" = allow ]
    [ "$(verdict 'x86_64:mmap(0, 4096, 7, 34, -1, 0)')" = 'trap(0)' ]
    [ "$(verdict 'x86_64:mmap(0, 4096, 3, 0x100000022, -1, 0)')" = allow ]    # a dword is all that it looks at
    [ "$(verdict 'x32:read(0, 0, 0)')" = kill_process ]
    [ "$(verdict 'i386:read(0, 0, 0)')" = kill_process ]
}

@test "a file for several threads needs --thread, and says which there are" {
    threads
    run bpfproof import firecracker "$T/threads.json" --arch x86_64 -o "$T/vmm.policy"
    [ "$status" -eq 2 ]
    [[ $output == *"--thread says which"*'`vmm`, `api`'* ]]
    [ ! -e "$T/vmm.policy" ]
}

@test "the profiles that a VMM ships: as its own compiler has them, but for x32's numbers, which are killed here" {
    profiles=../shared/corpus/policies/firecracker blobs=../shared/bench/peers
    [ -d "$profiles" ] && [ -d "$blobs" ] || skip "no profiles here"
    for thread in vmm api vcpu; do
        bpfproof import firecracker "$profiles/x86_64-unknown-linux-musl.json" --thread "$thread" --arch x86_64 -o "$T/a.policy"
        bpfproof compile "$T/a.policy" -o "$T/a.bpf" --json >"$T/out.json"
        [ "$(json proof <"$T/out.json")" = PROVED ]
        run bpfproof diff "$T/a.policy" "$blobs/firecracker-$thread-seccompiler.bpf"
        [ "$status" -eq 1 ]
        [[ $output == *"foreign x86_64 nr 0x40000000..0xfffffffe"*"REFUTED: 1 difference, and PROVED: no other"* ]]
        bpfproof import firecracker "$profiles/aarch64-unknown-linux-musl.json" --thread "$thread" --arch aarch64 -o "$T/a.policy"
        bpfproof compile "$T/a.policy" -o "$T/a.bpf" --json >"$T/out.json"
        [ "$(json proof <"$T/out.json")" = PROVED ]
    done
}

@test "a file whose name is not UTF-8 leaves a policy too, also in JSON" {
    profile
    threads
    cp "$T/profile.json" "$T/"$'a\xff.json'
    cp "$T/threads.json" "$T/"$'b\xff.json'
    bpfproof import oci "$T/"$'a\xff.json' --arch x86_64 --json >"$T/out.json"
    [[ $(json policy <"$T/out.json") == "# Made from a?.json"* ]]
    bpfproof import firecracker "$T/"$'b\xff.json' --thread api --arch x86_64 --json >"$T/out.json"
    [[ $(json policy <"$T/out.json") == "# Made from b?.json"* ]]
}
