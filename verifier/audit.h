/* audit: known mistakes of filters, each a property with a query. The table (audit_table.c) has a
 * row per class of mistake; the files audit_*.c hold the queries by topic. Every finding carries a
 * witness that has been replayed with the interpreter.
 */
#ifndef VERIFIER_AUDIT_H
#define VERIFIER_AUDIT_H

#include "verifier/verifier.h"

/* The worst first. */
enum audit_severity {
    AUDIT_BYPASS,      /* an attacker gets more than the stated policy */
    AUDIT_FRAGILE,     /* correct today, breaks with the kernel, the libc or the compiler */
    AUDIT_ROBUSTNESS,  /* denies what it meant to permit, or denies it in an awkward way */
    AUDIT_PERFORMANCE, /* slower than it has to be */
    AUDIT_SEVERITY_COUNT
};

const char *audit_severity_name(enum audit_severity severity); /* "bypass" */

enum audit_needs { AUDIT_NEEDS_NOTHING, AUDIT_NEEDS_POLICY, AUDIT_NEEDS_OTHER };

struct auditor;

struct audit_property {
    unsigned number; /* 1..29 */
    const char *id;  /* "arch-unchecked" */
    const char *title;
    enum audit_severity severity;
    enum audit_needs needs;
    const char *statement; /* as a formula; P(s): the verdict on s is allow or log */
    const char *why;       /* why the kernel acts on it */
    const char *fix;
    void (*ask)(struct auditor *auditor);
};

const struct audit_property *audit_properties(size_t *count);
/* By number or id; NULL when there is none. */
const struct audit_property *audit_property_named(const char *name);

/* A call that a finding is about. */
struct audit_call {
    enum abi_id abi; /* ABI_NONE: of no declared ABI */
    uint32_t nr;
    const char *name; /* NULL: a number that the ABI's table does not have */
    const char *was;  /* what an old kernel took the number for; mostly NULL */
};

struct audit_witness {
    struct input input;
    uint32_t word;    /* what is returned for it, as replayed */
    const char *says; /* what it shows; of the first one mostly NULL */
    bool implementation_defined;
};

struct audit_finding {
    const struct audit_property *property;
    const char *subject;      /* findings of one property and subject are one row; may be "" */
    const char *detail;       /* what was found here, a sentence */
    struct audit_call *calls; /* none where the finding is about the code */
    size_t call_count, call_capacity;
    const struct side *side; /* what the witness is replayed on: the filter, or one program of it */
    struct audit_witness witness, other;
    bool has_other;
};

struct audit_unknown {
    const struct audit_property *property;
    const char *reason;
};

struct audit_request {
    const struct side *side;    /* programs */
    const struct side *policy;  /* what it should be; may be NULL */
    const struct side *against; /* what it was made from; may be NULL */
    abi_set declared;
    bool declared_is_exact; /* somebody said so: x32 is not added where the filter speaks of it */
    struct limits limits;
};

struct audit {
    struct audit_finding *findings; /* the worst first */
    size_t finding_count;
    struct audit_unknown *unknown; /* properties that a limit left open */
    size_t unknown_count;
    abi_set declared;     /* as asked, and x32 where the filter tells its numbers apart */
    abi_set unrestricted; /* of these: the filter denies none of the ABI's calls, so that there is
                             nothing to go around, and some properties are not asked of it */
    unsigned asked;       /* properties; those that need what was not given are not asked */
    uint64_t ns, questions;
};

struct audit audit_side(struct arena *arena, const struct audit_request *request);

#endif
