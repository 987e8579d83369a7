/* Every operator on every kind of argument, with the constants at which a width or a sign would be
 * mistaken, against an evaluation that knows nothing of intervals: registers are cast as the kernel
 * casts them, and compared as C compares.
 */
#include "tests/unit/lang/policies.h"

__extension__ typedef __int128 wide;

static const struct kind {
    const char *call, *name;
    unsigned index, bits;
    bool is_signed;
} kinds[] = {
    {"openat", "dirfd", 0, 32, true}, {"openat", "mode", 3, 16, false},
    {"close", "fd", 0, 32, false},    {"write", "count", 2, 64, false},
    {"lseek", "offset", 1, 64, true}, {"openat", "flags", 2, 32, true},
    {"clone", "flags", 0, 32, false}, {"mmap", "prot", 2, 64, false},
};

static const char *const operators[] = {"==", "!=", "<", "<=", ">", ">="};

/* What the kernel sees of a register, as a number of the argument's type. */
static wide argument_value(const struct kind *kind, uint64_t value)
{
    switch (kind->bits) {
    case 16:
        return (uint16_t)value;
    case 32:
        return kind->is_signed ? (wide)(int32_t)(uint32_t)value : (wide)(uint32_t)value;
    default:
        return kind->is_signed ? (wide)(int64_t)value : (wide)value;
    }
}

static bool compare(wide a, unsigned operator, wide b)
{
    const bool results[] = {a == b, a != b, a<b, a <= b, a> b, a >= b};
    return results[operator];
}

static wide power(unsigned bits)
{
    return (wide)1 << bits;
}

/* May the constant stand in this comparison? */
static bool fits(const struct kind *kind, bool masked, unsigned operator, wide constant)
{
    bool is_signed = kind->is_signed && !masked;
    if (operator<= 1)
        return constant >= -power(kind->bits - 1) && constant < power(kind->bits);
    return is_signed ? constant >= -power(kind->bits - 1) && constant < power(kind->bits - 1)
                     : constant >= 0 && constant < power(kind->bits);
}

/* The constant as the type's number: equality is modulo the width. */
static wide as_type(const struct kind *kind, bool masked, wide constant)
{
    uint64_t bits = (uint64_t)constant;
    struct kind type = *kind;
    type.is_signed &= !masked;
    return argument_value(&type, bits);
}

static uint64_t masked_value(const struct kind *kind, uint64_t value, uint64_t mask)
{
    uint64_t visible = kind->bits == 64 ? value : value & (((uint64_t)1 << kind->bits) - 1);
    return visible & mask;
}

static wide boundary(struct random *random, unsigned bits)
{
    static const int near[] = {-2, -1, 0, 1, 2};
    const wide edges[] = {0,         power(bits - 1), power(bits), -power(bits - 1),
                          power(31), power(32),       power(15),   power(16)};
    wide value =
        edges[random_below(random, COUNT_OF(edges))] + near[random_below(random, COUNT_OF(near))];
    return value >= -power(63) && value < power(64) ? value : 0;
}

static uint64_t any_register(struct random *random, unsigned bits)
{
    uint64_t value = (uint64_t)boundary(random, bits);
    uint64_t garbage = random_below(random, 2) ? random_u64(random) << 32 : 0;
    return random_below(random, 3) ? value ^ garbage
                                   : random_u64(random) >> random_below(random, 64);
}

static const char *constant_text(struct arena *arena, wide value)
{
    bool negative = value < 0;
    unsigned long long magnitude = (unsigned long long)(negative ? -value : value);
    return arena_printf(arena, magnitude % 3 ? "%s%llu" : "%s0x%llx", negative ? "-" : "",
                        magnitude);
}

static void check_evaluation(struct fixture *fixture, const struct policy *policy,
                             const struct kind *kind, bool masked, uint64_t mask, unsigned operator,
                             wide constant, struct random *random, const char *text)
{
    (void)fixture;
    for (unsigned i = 0; i < 40; i++) {
        uint64_t args[6] = {0};
        args[kind->index] = i < 8 ? (uint64_t)constant + i - 4 : any_register(random, kind->bits);
        wide left = masked ? (wide)masked_value(kind, args[kind->index], mask)
                           : argument_value(kind, args[kind->index]);
        bool expected =
            compare(left, operator, operator<= 1 ? as_type(kind, masked, constant) : constant);
        uint32_t word = verdict_of(policy, ABI_X86_64, kind->call, args, 6);
        if ((word == WORD_ALLOW) != expected)
            fail_msg("%s with %#llx: %#x", text, (unsigned long long)args[kind->index], word);
    }
}

static void test_comparisons(void **state)
{
    struct random random = random_seed(1);
    unsigned accepted = 0, refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        void *opened;
        fixture_open(&opened);
        struct fixture *fixture = opened;
        const struct kind *kind = &kinds[random_below(&random, COUNT_OF(kinds))];
        unsigned operator= random_below(&random, COUNT_OF(operators));
        bool masked = random_below(&random, 2);
        uint64_t mask = (random_u64(&random) & random_u64(&random)) >> (64 - kind->bits);
        wide constant = boundary(&random, kind->bits);
        const char *left = masked ? arena_printf(fixture->arena, "(%s & 0x%llx)", kind->name,
                                                 (unsigned long long)mask)
                                  : kind->name;
        const char *text = arena_printf(fixture->arena, "abi x86_64\ndefault kill_process\nallow %s(%s %s %s)\n", kind->call,
                                        left, operators[operator], constant_text(fixture->arena, constant));
        struct policy *policy;
        bool fine = try_policy(fixture, text, &policy);
        if (fine != fits(kind, masked, operator, constant))
            fail_msg("%s: %s", fine ? "accepted" : "refused", text);
        if (fine)
            check_evaluation(fixture, policy, kind, masked, mask, operator, constant, &random,
                             text);
        accepted += fine;
        refused += !fine;
        fixture_close(&opened);
    }
    assert_true(accepted > 500 && refused > 200);
    (void)state;
}

/* ---- ranges
 * --------------------------------------------------------------------------------------------------------
 */

/* Is some number of first..last the value, modulo 2^bits? The smallest such from `first` up is. */
static bool in_range(unsigned bits, wide first, wide last, uint64_t value)
{
    wide size = power(bits), above = ((wide)value - first) % size;
    return first + (above < 0 ? above + size : above) <= last;
}

static void check_range(struct fixture *fixture, const struct policy *policy,
                        const struct kind *kind, uint64_t mask, wide first, wide last,
                        struct random *random, const char *text)
{
    struct buffer words = buffer_new(fixture->arena);
    uint32_t nr = abi_syscall(ABI_X86_64, kind->call)->nr;
    const struct clause *clause = &policy->views[0].clauses[0];
    if (policy->views[0].clause_count && clause->when->kind != CONDITION_TRUE) {
        buffer_printf(&words, "abi x86_64\ndefault kill_process\nallow %s(", kind->call);
        condition_print(&words, clause->when, ABI_X86_64, nr);
        buffer_text(&words, ")\n");
    } else {
        buffer_text(&words, text);
    }
    const struct policy *again = read_text(fixture, buffer_string(&words));
    for (unsigned i = 0; i < 40; i++) {
        uint64_t args[6] = {0};
        args[kind->index] = i < 8    ? (uint64_t)first + i - 4
                            : i < 16 ? (uint64_t)last + i - 12
                                     : any_register(random, kind->bits);
        uint64_t value = masked_value(kind, args[kind->index], mask);
        uint32_t expected = in_range(kind->bits, first, last, value) ? WORD_ALLOW : WORD_KILL;
        if (verdict_of(policy, ABI_X86_64, kind->call, args, 6) != expected ||
            verdict_of(again, ABI_X86_64, kind->call, args, 6) != expected)
            fail_msg("%s with %#llx is not %#x", text, (unsigned long long)args[kind->index],
                     expected);
    }
}

static void test_ranges(void **state)
{
    struct random random = random_seed(4);
    unsigned accepted = 0, refused = 0;
    for (unsigned round = 0; round < 3000; round++) {
        void *opened;
        fixture_open(&opened);
        struct fixture *fixture = opened;
        const struct kind *kind = &kinds[random_below(&random, COUNT_OF(kinds))];
        bool masked = !random_below(&random, 3);
        uint64_t mask = masked ? random_u64(&random) >> (64 - kind->bits) : UINT64_MAX;
        wide first = boundary(&random, kind->bits), last = boundary(&random, kind->bits);
        const char *left = masked ? arena_printf(fixture->arena, "(%s & 0x%llx)", kind->name,
                                                 (unsigned long long)mask)
                                  : kind->name;
        const char *text = arena_printf(
            fixture->arena, "abi x86_64\ndefault kill_process\nallow %s(%s in { %s..%s })\n",
            kind->call, left, constant_text(fixture->arena, first),
            constant_text(fixture->arena, last));
        struct policy *policy;
        bool fine = try_policy(fixture, text, &policy);
        bool expected =
            first <= last && fits(kind, masked, 0, first) && fits(kind, masked, 0, last);
        if (fine != expected)
            fail_msg("%s: %s", fine ? "accepted" : "refused", text);
        if (fine)
            check_range(fixture, policy, kind, mask, first, last, &random, text);
        accepted += fine;
        refused += !fine;
        fixture_close(&opened);
    }
    assert_true(accepted > 500 && refused > 200);
    (void)state;
}

/* ---- combinations
 * --------------------------------------------------------------------------------------------------
 */

/* A random condition as text, with its value on one input computed beside it. */
struct made {
    struct buffer text;
    struct random *random;
    const uint64_t *args;
};

static const char *const names[] = {"arg0", "arg1", "arg2"};

static bool make_comparison(struct made *made)
{
    unsigned arg = random_below(made->random, 3), operator= random_below(made->random, 6);
    uint64_t constant =
        made->args[random_below(made->random, 3)] + random_below(made->random, 3) - 1;
    uint64_t mask = random_below(made->random, 2) ? UINT64_MAX : random_u64(made->random);
    if (mask == UINT64_MAX)
        buffer_printf(&made->text, "%s %s 0x%llx", names[arg], operators[operator], (unsigned long long)constant);
    else
        buffer_printf(&made->text, "(%s & 0x%llx) %s 0x%llx", names[arg], (unsigned long long)mask, operators[operator],
                      (unsigned long long)constant);
    return compare((wide)(made->args[arg] & mask), operator,(wide) constant);
}

static bool make_membership(struct made *made)
{
    unsigned arg = random_below(made->random, 3), count = 1 + random_below(made->random, 4);
    bool holds = false;
    buffer_printf(&made->text, "%s in { ", names[arg]);
    for (unsigned i = 0; i < count; i++) {
        uint64_t first =
            made->args[random_below(made->random, 3)] + random_below(made->random, 5) - 2;
        uint64_t width = random_below(made->random, 4),
                 last = first + width < first ? first : first + width;
        buffer_printf(&made->text, i ? ", %llu..%llu" : "%llu..%llu", (unsigned long long)first,
                      (unsigned long long)last);
        holds |= made->args[arg] >= first && made->args[arg] <= last;
    }
    buffer_text(&made->text, " }");
    return holds;
}

static bool make_condition(struct made *made, unsigned depth, bool inner)
{
    unsigned choice = depth ? random_below(made->random, 6) : 0;
    if (choice <= 1)
        return random_below(made->random, 4) ? make_comparison(made) : make_membership(made);
    if (choice == 2) {
        buffer_text(&made->text, "!(");
        bool holds = make_condition(made, depth - 1, false);
        buffer_text(&made->text, ")");
        return !holds;
    }
    bool both = choice <= 4, parentheses = inner && !both;
    buffer_text(&made->text, parentheses ? "(" : "");
    bool holds = make_condition(made, depth - 1, both);
    for (unsigned more = 1 + random_below(made->random, 3); more; more--) {
        buffer_text(&made->text, both ? " && " : " || ");
        bool next = make_condition(made, depth - 1, both);
        holds = both ? holds && next : holds || next;
    }
    buffer_text(&made->text, parentheses ? ")" : "");
    return holds;
}

/* Intervals are sorted, disjoint, not adjacent, and within the operand's width. */
static void check_intervals(const struct condition *condition)
{
    if (condition->left)
        check_intervals(condition->left);
    if (condition->right)
        check_intervals(condition->right);
    for (size_t i = 0; condition->kind == CONDITION_MEMBER && i < condition->interval_count; i++) {
        const struct interval *interval = &condition->intervals[i];
        assert_true(interval->first <= interval->last);
        assert_true(!i || interval->first > condition->intervals[i - 1].last + 1);
        assert_true(condition->operand.bits == 64 || !(interval->last >> condition->operand.bits));
    }
}

static bool condition_of(const struct policy *policy, const struct condition **condition)
{
    const struct abi_view *view = &policy->views[0];
    if (view->clause_count != 1)
        return false;
    *condition = view->clauses[0].when;
    return true;
}

/* The condition in words is a condition again, and the same one. */
static void check_words(struct fixture *fixture, const struct policy *policy,
                        const struct input *input)
{
    const struct condition *condition;
    struct buffer text = buffer_new(fixture->arena);
    if (!condition_of(policy, &condition) || condition->kind == CONDITION_TRUE)
        return;
    check_intervals(condition);
    buffer_text(&text, "abi x86_64\ndefault kill_process\nallow nr 5000(");
    condition_print(&text, condition, ABI_X86_64, 5000);
    buffer_text(&text, ")\n");
    assert_int_equal(policy_eval(read_text(fixture, buffer_string(&text)), input).word,
                     policy_eval(policy, input).word);
}

static void test_combinations(void **state)
{
    struct random random = random_seed(2);
    unsigned held = 0;
    for (unsigned round = 0; round < 1000; round++) {
        void *opened;
        fixture_open(&opened);
        struct fixture *fixture = opened;
        struct input input = {.nr = 5000, .arch = abi_get(ABI_X86_64)->token};
        for (unsigned i = 0; i < 3; i++)
            input.args[i] = any_register(&random, 64);
        struct made made = {buffer_new(fixture->arena), &random, input.args};
        buffer_text(&made.text, "abi x86_64\ndefault kill_process\nallow nr 5000(");
        bool expected = make_condition(&made, 3, false);
        buffer_text(&made.text, ")\n");
        struct policy *policy = read_text(fixture, buffer_string(&made.text));
        bool got = policy_eval(policy, &input).word == WORD_ALLOW;
        if (got != expected)
            fail_msg("%s is %d", buffer_string(&made.text), got);
        round_trip(fixture, buffer_string(&made.text));
        check_words(fixture, policy, &input);
        held += expected;
        fixture_close(&opened);
    }
    assert_true(held > 100 && held < 900);
    (void)state;
}

/* ---- named conditions in words
 * ----------------------------------------------------------------------------------------- */

static void test_words_of_typed_arguments(void **state)
{
    static const char *const conditions[][2] = {
        {"openat", "dirfd == -100"},
        {"openat", "dirfd >= 0"},
        {"openat", "dirfd <= -1"},
        {"openat", "(flags & 0x3) == 0"},
        {"openat", "dirfd in { -1, 3..7 }"},
        {"openat", "!(dirfd in { -1, 3..7 })"},
        {"openat", "pathname != 0"},
        {"openat", "u64(arg1) == 4096"},
        {"openat", "hi32(arg3) == 0"},
        {"openat", "(mode & 0x92) == 0"},
        {"prctl", "arg1 == 1"},
        {"prctl", "arg2 == 1"},
        {"prctl", "arg3 <= 9"},
        {"dup", "u64(arg4) == 1"},
        {"close", "fd != 0xffffffff"},
        {"socket", "domain == 1 || domain == 2 && (type == 1 || type == 2)"},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        const char *text =
            arena_printf(fixture->arena, "abi x86_64\ndefault kill_process\nallow %s(%s)\n",
                         conditions[i][0], conditions[i][1]);
        const struct policy *policy = read_text(fixture, text);
        struct buffer words = buffer_new(fixture->arena);
        condition_print(&words, policy->views[0].clauses[0].when, ABI_X86_64,
                        abi_syscall(ABI_X86_64, conditions[i][0])->nr);
        assert_string_equal(buffer_string(&words), conditions[i][1]);
    }
}

/* ---- raw words
 * --------------------------------------------------------------------------------------------------------------
 */

static uint32_t make_word(struct made *made, unsigned depth, bool *undefined)
{
    static const char *const words[] = {"+", "-", "*", "/", "&", "|", "^", "<<", ">>"};
    unsigned choice = depth ? random_below(made->random, 12) : random_below(made->random, 2) * 11;
    if (choice == 11) {
        uint32_t value =
            (uint32_t)(random_u64(made->random) >> (32 + random_below(made->random, 32)));
        buffer_printf(&made->text, "0x%x", value);
        return value;
    }
    if (choice == 10 || !depth) {
        unsigned arg = random_below(made->random, 3), high = random_below(made->random, 2);
        buffer_printf(&made->text, "%s(arg%u)", high ? "hi32" : "lo32", arg);
        return (uint32_t)(made->args[arg] >> 32 * high);
    }
    if (choice == 9) {
        bool minus = random_below(made->random, 2);
        buffer_text(&made->text, minus ? "-(" : "~(");
        uint32_t value = make_word(made, depth - 1, undefined);
        buffer_text(&made->text, ")");
        return minus ? 0 - value : ~value;
    }
    buffer_text(&made->text, "(");
    uint32_t a = make_word(made, depth - 1, undefined);
    buffer_printf(&made->text, " %s ", words[choice]);
    uint32_t b = make_word(made, depth - 1, undefined);
    buffer_text(&made->text, ")");
    *undefined |= choice >= 7 && b >= 32;
    const uint32_t values[] = {a + b, a - b, a * b,         b ? a / b : 0, a & b,
                               a | b, a ^ b, a << (b & 31), a >> (b & 31)};
    return values[choice];
}

static void test_raw_words(void **state)
{
    struct random random = random_seed(3);
    unsigned tried = 0;
    for (unsigned round = 0; round < 1500; round++) {
        void *opened;
        fixture_open(&opened);
        struct fixture *fixture = opened;
        struct input input = {.nr = 7, .arch = 9};
        for (unsigned i = 0; i < 3; i++)
            input.args[i] = any_register(&random, 32);
        struct made made = {buffer_new(fixture->arena), &random, input.args};
        bool undefined = false;
        unsigned operator= random_below(&random, 6);
        buffer_text(&made.text, "abi x86_64\ndefault kill_process\nraw ret(");
        uint32_t value = make_word(&made, 3, &undefined);
        buffer_text(&made.text, ") if ");
        uint32_t a = make_word(&made, 3, &undefined);
        buffer_printf(&made.text, " %s ", operators[operator]);
        uint32_t b = make_word(&made, 2, &undefined);
        buffer_text(&made.text, "\n");
        struct policy *policy;
        if (try_policy(fixture, buffer_string(&made.text),
                       &policy)) { /* constants may pass 32 bits */
            uint32_t expected = compare(a, operator, b) ? value : WORD_KILL;
            struct decision decision = policy_eval(policy, &input);
            if (decision.word != expected)
                fail_msg("%s gives %#x, not %#x", buffer_string(&made.text), decision.word,
                         expected);
            assert_true(undefined || !decision.implementation_defined);
            round_trip(fixture, buffer_string(&made.text));
            tried++;
        }
        fixture_close(&opened);
    }
    assert_true(tried > 500);
    (void)state;
}

static void test_raw_registers(void **state)
{
    struct fixture *fixture = *state;
    const struct policy *policy = read_text(
        fixture, "abi x86_64, aarch64\ndefault kill_process\nallow read\n"
                 "raw errno(EPERM) if ip > 0x100000000 && (arg0 & 0xf00000000) == 0x300000000\n"
                 "raw log if arch == AUDIT_ARCH_S390X || 7 >= nr\n"
                 "raw trap(3) if arg5 in { 1, -1 }\n");
    struct input input = {
        .nr = 0, .arch = abi_get(ABI_X86_64)->token, .ip = 0x100000001, .args = {0x300000001}};
    assert_int_equal(policy_eval(policy, &input).word, WORD_ALLOW); /* the first rule decides */
    input.nr = 1;
    assert_int_equal(policy_eval(policy, &input).word, WORD_ERRNO(1));
    input.ip = 0x100000000;
    assert_int_equal(policy_eval(policy, &input).word, 0x7ffc0000);
    input.nr = 8;
    assert_int_equal(policy_eval(policy, &input).word, WORD_KILL);
    input.arch = abi_get(ABI_S390X)->token;
    assert_int_equal(policy_eval(policy, &input).word, 0x7ffc0000);
    input = (struct input){.nr = 8, .args = {0, 0, 0, 0, 0, UINT64_MAX}};
    assert_int_equal(policy_eval(policy, &input).word, 0x00030003);
}

/* Names of both kinds; argN is a register, whatever the call's own parameters are called. */
static void test_names(void **state)
{
    struct fixture *fixture = *state;
    const struct policy *policy = read_text(
        fixture,
        "abi x86_64\ndefault kill_process\nallow openat(dfd == 3)\nallow openat(dirfd == 4)\n"
        "allow signalfd4(flags == 5)\nallow prctl(arg1 == 6)\nlog prctl(arg2 == 8)\nlog "
        "prctl(u64(arg2) == 7)\n"
        "allow sched_setscheduler(policy == 1)\nallow io_submit(nr == 9)\n");
    assert_int_equal(VERDICT(policy, ABI_X86_64, "openat", 3), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "openat", 4), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "signalfd4", 0, 0, 0, 5), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "signalfd4", 0, 0, 5, 0), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "prctl", 0, 6, 0), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "prctl", 0, 0, 7), 0x7ffc0000);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "prctl", 0, 0, 8), 0x7ffc0000);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "prctl", 0, 8, 0), WORD_KILL);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "sched_setscheduler", 0, 1), WORD_ALLOW);
    assert_int_equal(VERDICT(policy, ABI_X86_64, "io_submit", 0, 9), WORD_ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comparisons),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_combinations),
        TEST(test_words_of_typed_arguments),
        cmocka_unit_test(test_raw_words),
        TEST(test_raw_registers),
        TEST(test_names),
    };
    return RUN_TESTS(tests);
}
