/* lexer.h - the tokens of the text format.
 *
 * A text is cut into tokens whole, so that the parser may look ahead and pass
 * over it more than once.  White space, comments and annotations that nobody
 * here reads are gone; those that are read (@custom, @name, branch hints) stand
 * in the list with their content, and a reader that does not want one steps over it.
 *
 * Layer: engine, shared by its folders.  Owner: the caller of engine_lex, who
 * releases the vector; tokens are positions in the text, which must outlive them.
 */
#ifndef ENGINE_TEXT_LEXER_H
#define ENGINE_TEXT_LEXER_H

#include "base/buf.h"
#include "base/diag.h"
#include "base/vec.h"

enum engine_token_kind {
	ENGINE_TOKEN_END,
	ENGINE_TOKEN_OPEN,
	ENGINE_TOKEN_CLOSE,
	ENGINE_TOKEN_WORD,   /* a keyword or an instruction's name: begins with a-z */
	ENGINE_TOKEN_NAT,    /* 10, 0xff, 1_000 */
	ENGINE_TOKEN_INT,    /* with a sign */
	ENGINE_TOKEN_FLOAT,  /* also inf, nan, nan:0x7f */
	ENGINE_TOKEN_STRING, /* with its quotes */
	ENGINE_TOKEN_ID,     /* $name or $"name" */
	ENGINE_TOKEN_OTHER,  /* anything else, in annotations only */
	ENGINE_TOKEN_CUSTOM, /* "(@custom": so many tokens, len, belong to it, the last closes it */
	ENGINE_TOKEN_NAME,   /* "(@name" */
	ENGINE_TOKEN_HINT    /* "(@metadata.code.branch_hint" */
};

struct engine_token {
	uint32_t at, len; /* in the text: bytes */
	uint8_t kind;
};

enum { ENGINE_TEXT_BYTES_MAX = 1 << 30 };

/* Where an error is: the text, and what to call it (NULL: positions only). */
struct engine_text_source {
	struct lb_bytes text;
	const char *name;
	struct lb_diag *diag; /* may be NULL */
};

/* Cut the whole text into tokens; the last one is ENGINE_TOKEN_END.  `tokens` is initialised
 * here, also on failure: MALFORMED with the byte offset as context and the official tests'
 * wording, LIMIT or NOMEM. */
lb_err engine_lex(struct lb_vec *tokens, struct lb_mem *mem,
                  const struct engine_text_source *source);

static inline bool engine_token_is_annotation(const struct engine_token *token)
{
	return token->kind >= ENGINE_TOKEN_CUSTOM;
}

static inline struct lb_bytes engine_token_text(const struct engine_text_source *source,
                                                const struct engine_token *token)
{
	return (struct lb_bytes){ source->text.at + token->at, token->len };
}

/* The bytes that a string token stands for, appended.  The token was checked by the lexer. */
void engine_token_string(struct lb_buf *out, struct lb_bytes token);

/* "NAME:LINE:COLUMN: prose", columns in characters; the context is the offset. */
lb_err engine_text_fail(const struct engine_text_source *source, enum lb_code code, size_t offset,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

size_t engine_text_line(struct lb_bytes text, size_t offset);

#endif
