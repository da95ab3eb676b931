/* err.h - the one error type: a machine word, returned by value.
 *
 * Zero is success.  Otherwise the low 16 bits are a code from err.def and the
 * bits above carry one number of context: an errno, a byte offset, an HTTP
 * status.  An error owns nothing, so it can be copied, kept and compared,
 * and running out of memory is as cheap to report as anything else.
 *
 * Prose (file names, URLs, lines) never travels in an error: it goes into a
 * struct lb_diag that the caller owns (base/diag.h).  See docs/errors.md.
 */
#ifndef LB_BASE_ERR_H
#define LB_BASE_ERR_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct [[nodiscard]] lb_err {
	uintptr_t word;
} lb_err;

enum lb_code {
	LB_E_NONE = 0,
#define ERR(name, class, text) LB_E_##name,
#include "base/err.def"
#undef ERR
	LB_E_COUNT
};

/* What kind of failure a code is: decides exit status and HTTP status. */
enum lb_class {
	LB_CLASS_NONE,
	LB_CLASS_NO,    /* the answer is no: not found, refused, a test failed */
	LB_CLASS_USAGE, /* the caller asked wrongly */
	LB_CLASS_DATA,  /* the input is bad */
	LB_CLASS_ENV    /* memory, disk, network: may work another time */
};

#define LB_OK ((lb_err){ 0 })

/* Make an error; `at` keeps as many low bits as fit above the code. */
static inline lb_err lb_err_at(enum lb_code code, uintptr_t at)
{
	return (lb_err){ (at << 16) | (uintptr_t)code };
}

static inline lb_err lb_err_of(enum lb_code code) { return lb_err_at(code, 0); }
static inline bool lb_failed(lb_err err) { return err.word != 0; }
static inline enum lb_code lb_code_of(lb_err err) { return (enum lb_code)(err.word & 0xffff); }
static inline uintptr_t lb_where(lb_err err) { return err.word >> 16; }

/* The text of an error's code: never NULL, never allocated, for any thread. */
const char *lb_err_text(lb_err err);
enum lb_class lb_err_class(lb_err err);

/* The exit status a program ends with: 0 success, 1 no, 2 usage, 3 data, 4 environment. */
int lb_err_exit(lb_err err);

/* The HTTP status that answers a request which ended with `err`; 200 for success. */
int lb_err_http(lb_err err);

/* The error for an errno value, the number kept as context. */
lb_err lb_err_errno(int number);

/* An error that cannot matter here, dropped on purpose. */
static inline void lb_ignore(lb_err err) { (void)err; }

/* Return early when there is nothing to release; otherwise write the goto. */
#define LB_TRY(expr) \
	do { \
		lb_err lb_try_ = (expr); \
		if (lb_failed(lb_try_)) \
			return lb_try_; \
	} while (0)

#endif
