/* verifier: proofs. Never includes compiler/ or optimizer/: the prover shares no code with what it
 * proves.
 *
 * A question is about one or two sides; a side is a policy or a stack of programs. Method
 * (docs/TRUST.md): symbolic execution with joins, partition of (arch, nr) into classes on which
 * both sides fold to a residue over the arguments, residues compared by identity and then by Z3.
 * Every counterexample has been replayed with policy_eval and the interpreter before it leaves this
 * room.
 */
#ifndef VERIFIER_VERIFIER_H
#define VERIFIER_VERIFIER_H

#include "lang/lang.h"
#include "sim/sim.h"
#include "smt/smt.h"

struct side {
    const char *name;
    const struct policy *policy;    /* one of the two is set */
    const struct program *programs; /* accepted by check_program; oldest first */
    size_t program_count;
};

enum verdict { PROVED, REFUTED, UNKNOWN };
const char *verdict_name(enum verdict verdict); /* "PROVED" */

struct proof_options {
    bool whole; /* one query over everything instead of the partition */
    bool
        solver_only; /* every pair of residues that is not settled by identity goes to the solver */
    struct limits limits;
    struct buffer *smt2; /* not NULL: the obligations that were (or, with `all_obligations`, would
                          * be) put to the solver are appended as SMT-LIB scripts */
    abi_set declared; /* for sides without a policy: which ABIs names and widths come from; 0 = all
                         that fit */
};

struct counterexample {
    struct input input;
    uint32_t left, right; /* the words that the two sides return, as replayed */
    struct input other;   /* width_safety: the second input; else a copy of input */
};

struct proof {
    enum verdict verdict;
    bool has_counterexample;
    struct counterexample counterexample;
    const char *reason; /* of UNKNOWN: which limit; else NULL or a remark for a person */
    uint64_t ns;        /* wall time of this proof */
    uint64_t classes;   /* (arch, nr) classes */
    uint64_t folded;    /* settled without Z3 */
    uint64_t questions; /* put to Z3 */
};

/* All functions here return a proof; a failure (both sides' endianness differ, ...) is UNKNOWN with
 * a reason. They keep no state; memory comes from `arena`. */

/* The two sides return the same 32-bit word on all 2^512 inputs. Stacks: their combined word. */
struct proof prove_equal(struct arena *arena, const struct side *left, const struct side *right,
                         const struct proof_options *options);
/* `left` is nowhere more permissive than `right`, by the kernel's order of actions. */
struct proof prove_at_most(struct arena *arena, const struct side *left, const struct side *right,
                           const struct proof_options *options);
/* One `prove` statement (never, always; at_most goes through prove_at_most). REFUTED carries the
 * input and left = right = the word returned. `vacuous` (may be NULL) is set when no input
 * satisfies the pattern. */
struct proof prove_goal(struct arena *arena, const struct side *side, const struct goal *goal,
                        const struct proof_options *options, bool *vacuous);
/* No (arch, nr) outside `declared` gets allow, log, trace or notify (language.md, "What a compile
 * proves"). */
struct proof prove_arch_isolation(struct arena *arena, const struct side *side, abi_set declared,
                                  bool big_endian, const struct proof_options *options);

enum width_verdict { WIDTH_PROVED, WIDTH_DENIES_ONLY, WIDTH_REFUTED, WIDTH_UNKNOWN };
struct width_proof {
    enum width_verdict verdict;
    struct proof
        proof; /* counterexample.input and .other: equal for the kernel, different verdicts */
};
const char *width_verdict_name(enum width_verdict verdict); /* "DENIES_ONLY" */
/* Two inputs equal in arch, nr and every kernel-visible argument get the same word; over the
 * declared ABIs' known calls. */
struct width_proof prove_width_safety(struct arena *arena, const struct side *side,
                                      abi_set declared, bool big_endian,
                                      const struct proof_options *options);

struct dead_rules {
    size_t found;
    size_t unsettled;   /* neither seen alive nor proved dead: the work that may be done was done */
    uint64_t ns;        /* wall time of the search */
    uint64_t questions; /* put to Z3 */
    size_t memory;      /* bytes, without Z3's */
};
/* Rules that can never decide, each with the rules that shadow it, as warnings with their places.
 * The work, counted in steps, questions and memory, is bounded whatever the policy. */
struct dead_rules report_dead_rules(const struct policy *policy,
                                    const struct proof_options *options,
                                    struct diagnostics *diagnostics);

/* What a side returns on an input: policy_eval, or the interpreter over the stack. */
uint32_t side_word(const struct side *side, const struct input *input,
                   bool *implementation_defined);

#endif
