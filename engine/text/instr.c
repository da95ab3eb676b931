/* instr.c - instructions, flat and folded, to the bytes of the binary.
 *
 * No call nests here however deep the text does: what is open stands in frames.
 *
 * 1. The operands of a folded instruction are written as they come; its own bytes wait in
 *    `pending`, those of the innermost last, until its parenthesis closes.
 * 2. `depth` counts the labels that are open, the function's own included.
 */
#include "engine/text/parse_priv.h"

enum frame_kind {
	FRAME_FOLDED,      /* (op ...): operands */
	FRAME_BLOCK,       /* block ... end, also try_table and the part of a try that is last */
	FRAME_IF,          /* if ... else or end */
	FRAME_TRY,         /* try ... catch, delegate or end */
	FRAME_IN_BLOCK,    /* (block ...) */
	FRAME_IN_IF,       /* (if ...): operands up to (then */
	FRAME_IN_THEN,     /* (then ...) */
	FRAME_BEHIND_THEN, /* (if (then ...)...): (else or the end */
	FRAME_IN_ELSE,     /* (else ...) */
	FRAME_BEHIND_ELSE, /* only the end */
	FRAME_IN_TRY,      /* (try ...): (do */
	FRAME_IN_PART,     /* (do ...), (catch ...), (catch_all ...) */
	FRAME_BEHIND_PART  /* (catch, (catch_all, (delegate or the end */
};

/* What may stand in a frame. */
static bool takes_flat(const struct frame *top)
{
	static const bool flat[] = {
		[FRAME_BLOCK] = true,    [FRAME_IF] = true,           [FRAME_TRY] = true,
		[FRAME_IN_BLOCK] = true, [FRAME_IN_THEN] = true,      [FRAME_IN_ELSE] = true,
		[FRAME_IN_PART] = true,  [FRAME_BEHIND_PART] = false,
	};

	return top == NULL || flat[top->kind];
}

static bool takes_folded(const struct frame *top)
{
	return takes_flat(top) || top->kind == FRAME_FOLDED || top->kind == FRAME_IN_IF;
}

static struct frame *top_of(const struct parser *p, size_t base)
{
	return p->frames.count > base ? LB_VEC_AT(&p->frames, struct frame, p->frames.count - 1)
	                              : NULL;
}

/* ---- labels ---- */

static lb_err open_label(struct parser *p, struct frame *frame)
{
	struct lb_map *map = &p->names[SPACE_LABEL].map;

	uint32_t index = p->label_count++;

	p->depth++;
	if (frame->label.at == NULL)
		return LB_OK;
	if (p->with_names)
		engine_parse_show_name(&p->names[SPACE_LABEL], index, frame->label);
	frame->shadowed = (uint32_t)(uintptr_t)lb_map_get(map, frame->label);
	return lb_map_put(map, frame->label, (void *)(uintptr_t)p->depth);
}

static void close_label(struct parser *p, const struct frame *frame)
{
	struct lb_map *map = &p->names[SPACE_LABEL].map;

	p->depth--;
	if (frame->label.at == NULL)
		return;
	if (frame->shadowed == 0)
		(void)lb_map_remove(map, frame->label);
	else /* it is there, so nothing is needed to replace it */
		lb_ignore(lb_map_put(map, frame->label, (void *)(uintptr_t)frame->shadowed));
}

/* The label that `else` and `end` may repeat. */
static lb_err check_label(struct parser *p, const struct frame *frame)
{
	struct lb_bytes id;
	size_t token = p->at;

	LB_TRY(engine_parse_id(&id, p));
	if (id.at != NULL && !lb_bytes_eq(id, frame->label))
		return engine_parse_fail(p, token, LB_E_MALFORMED, "mismatching label");
	return LB_OK;
}

/* ---- frames ---- */

static lb_err push(struct frame **out, struct parser *p, enum frame_kind kind, unsigned op)
{
	*out = lb_vec_add(&p->frames);
	if (*out == NULL && lb_code_of(lb_vec_check(&p->frames)) == LB_E_LIMIT)
		return engine_parse_fail(p, p->at, LB_E_LIMIT, "nested too deeply");
	if (*out == NULL)
		return lb_vec_check(&p->frames);
	(*out)->kind = (uint8_t)kind;
	(*out)->op = (uint16_t)op;
	(*out)->pending = (uint32_t)p->pending.len;
	return LB_OK;
}

static void pop(struct parser *p) { p->frames.count--; }

static void write_pending(struct lb_buf *out, struct parser *p, const struct frame *frame)
{
	lb_buf_add(out, lb_bytes_from(lb_buf_bytes(&p->pending), frame->pending));
	if (p->pending.len > frame->pending)
		p->pending.len = frame->pending;
}

/* ---- branch hints ---- */

static lb_err hint_fail(const struct parser *p, size_t at, const char *text)
{
	return engine_parse_fail(p, at, LB_E_MALFORMED, "@metadata.code.branch_hint annotation: %s",
	                         text);
}

/* The annotation before the instruction at the cursor: 1 unlikely, 2 likely, 0 none. */
static lb_err take_hint(uint8_t *out, struct parser *p)
{
	size_t at, another;
	struct lb_bytes text;

	*out = 0;
	if (!engine_parse_take_note(&at, p, ENGINE_TOKEN_HINT))
		return LB_OK;
	if (engine_parse_take_note(&another, p, ENGINE_TOKEN_HINT))
		return hint_fail(p, another, "duplicate annotation");
	text = text_at(p, at + 1);
	if (p->tokens[at].len != 2 || p->tokens[at + 1].kind != ENGINE_TOKEN_STRING)
		return hint_fail(p, at, "unexpected token");
	if (lb_bytes_is(text, "\"\\00\""))
		*out = 1;
	else if (lb_bytes_is(text, "\"\\01\""))
		*out = 2;
	else
		return hint_fail(p, at, "invalid hint");
	return LB_OK;
}

/* The instruction that is about to be written has this hint. */
static void write_hint(struct parser *p, const struct lb_buf *out, uint8_t hint)
{
	if (hint == 0 || out != &p->body)
		return;
	engine_encode_u64(&p->body_hints, out->len);
	lb_buf_add_byte(&p->body_hints, 1);
	lb_buf_add_byte(&p->body_hints, (unsigned char)(hint - 1));
	p->body_hint_count++;
}

/* ---- opening ---- */

/* label? type, with `catches` for try_table: the bytes to `out`, the label to the frame. */
static lb_err parse_block_head(struct lb_buf *out, struct parser *p, struct frame *frame,
                               unsigned op)
{
	LB_TRY(engine_parse_id(&frame->label, p));
	engine_encode_op(out, op);
	LB_TRY(engine_parse_block_type(out, p));
	return engine_op_table[op].imm == ENGINE_IMM_CATCHES ? engine_parse_catches(out, p) : LB_OK;
}

static lb_err open_block(struct lb_buf *out, struct parser *p, enum frame_kind kind, unsigned op)
{
	struct frame *frame;

	LB_TRY(push(&frame, p, kind, op));
	LB_TRY(parse_block_head(out, p, frame, op));
	return open_label(p, frame);
}

static enum frame_kind block_kind(unsigned op, bool folded)
{
	if (op == ENGINE_OP_IF)
		return folded ? FRAME_IN_IF : FRAME_IF;
	if (op == ENGINE_OP_TRY)
		return folded ? FRAME_IN_TRY : FRAME_TRY;
	return folded ? FRAME_IN_BLOCK : FRAME_BLOCK;
}

static bool is_block(unsigned op)
{
	return engine_op_table[op].imm == ENGINE_IMM_BLOCK ||
	       engine_op_table[op].imm == ENGINE_IMM_CATCHES;
}

/* Those that are parts of blocks, and no instructions of their own. */
static bool is_part(unsigned op)
{
	return op == ENGINE_OP_ELSE || op == ENGINE_OP_END || op == ENGINE_OP_CATCH ||
	       op == ENGINE_OP_CATCH_ALL || op == ENGINE_OP_DELEGATE;
}

static lb_err find_op(unsigned *op, struct parser *p)
{
	if (here(p)->kind != ENGINE_TOKEN_WORD || !engine_words_find(op, p->words, text_here(p)))
		return engine_parse_unexpected(p);
	return LB_OK;
}

static lb_err check_hint(const struct parser *p, uint8_t hint, unsigned op)
{
	if (hint != 0 && op != ENGINE_OP_IF && op != ENGINE_OP_BR_IF)
		return hint_fail(p, p->at, "invalid target");
	return LB_OK;
}

/* ---- flat ---- */

static lb_err end_block(struct lb_buf *out, struct parser *p, struct frame *top)
{
	LB_TRY(check_label(p, top));
	engine_encode_op(out, ENGINE_OP_END);
	close_label(p, top);
	pop(p);
	return LB_OK;
}

static lb_err delegate(struct lb_buf *out, struct parser *p, struct frame *top)
{
	uint32_t label;

	close_label(p, top);
	LB_TRY(engine_parse_index(&label, p, SPACE_LABEL));
	engine_encode_op(out, ENGINE_OP_DELEGATE);
	engine_encode_u32(out, label);
	return LB_OK;
}

/* catch x or catch_all */
static lb_err catch_part(struct lb_buf *out, struct parser *p, unsigned op)
{
	uint32_t tag;

	engine_encode_op(out, op);
	if (op == ENGINE_OP_CATCH_ALL)
		return LB_OK;
	LB_TRY(engine_parse_index(&tag, p, SPACE_TAG));
	engine_encode_u32(out, tag);
	return LB_OK;
}

/* A word that goes on with or ends the flat block that is open. */
static lb_err flat_part(struct lb_buf *out, struct parser *p, unsigned op, struct frame *top)
{
	enum frame_kind kind = top != NULL ? (enum frame_kind)top->kind : FRAME_FOLDED;
	bool ends = kind == FRAME_BLOCK || kind == FRAME_IF || kind == FRAME_TRY;
	bool fits = op == ENGINE_OP_END    ? ends
	            : op == ENGINE_OP_ELSE ? kind == FRAME_IF
	                                   : kind == FRAME_TRY;

	if (!fits)
		return engine_parse_unexpected(p);
	engine_parse_step(p);
	if (op == ENGINE_OP_END)
		return end_block(out, p, top);
	if (op == ENGINE_OP_ELSE) {
		top->kind = FRAME_BLOCK;
		engine_encode_op(out, op);
		return check_label(p, top);
	}
	if (op == ENGINE_OP_DELEGATE) {
		LB_TRY(delegate(out, p, top));
		pop(p);
		return LB_OK;
	}
	if (op == ENGINE_OP_CATCH_ALL)
		top->kind = FRAME_BLOCK;
	return catch_part(out, p, op);
}

static lb_err flat(struct lb_buf *out, struct parser *p, struct frame *top)
{
	uint8_t hint;
	unsigned op;

	if (!takes_flat(top))
		return engine_parse_unexpected(p);
	LB_TRY(find_op(&op, p));
	LB_TRY(take_hint(&hint, p));
	LB_TRY(check_hint(p, hint, op));
	if (is_part(op))
		return flat_part(out, p, op, top);
	engine_parse_step(p);
	write_hint(p, out, hint);
	if (is_block(op))
		return open_block(out, p, block_kind(op, false), op);
	return engine_parse_immediates(out, p, op);
}

/* ---- folded ---- */

/* (then, (else, (do, (catch ... : the part of a folded block that opens at the cursor. */
static lb_err open_part(bool *was_part, struct lb_buf *out, struct parser *p, struct frame *top)
{
	enum frame_kind kind = top != NULL ? (enum frame_kind)top->kind : FRAME_BLOCK;
	struct frame *part;

	*was_part = true;
	if (kind == FRAME_IN_IF && engine_parse_take_open(p, "then")) {
		write_hint(p, out, top->hint);
		write_pending(out, p, top);
		top->kind = FRAME_BEHIND_THEN;
		LB_TRY(open_label(p, top));
		return push(&part, p, FRAME_IN_THEN, 0);
	}
	if (kind == FRAME_BEHIND_THEN && engine_parse_take_open(p, "else")) {
		engine_encode_op(out, ENGINE_OP_ELSE);
		top->kind = FRAME_BEHIND_ELSE;
		return push(&part, p, FRAME_IN_ELSE, 0);
	}
	if (kind == FRAME_IN_TRY && engine_parse_take_open(p, "do")) {
		top->kind = FRAME_BEHIND_PART;
		return push(&part, p, FRAME_IN_PART, 0);
	}
	if (kind == FRAME_BEHIND_PART && engine_parse_take_open(p, "catch")) {
		LB_TRY(catch_part(out, p, ENGINE_OP_CATCH));
		return push(&part, p, FRAME_IN_PART, 0);
	}
	if (kind == FRAME_BEHIND_PART && engine_parse_take_open(p, "catch_all")) {
		engine_encode_op(out, ENGINE_OP_CATCH_ALL);
		top->kind = FRAME_BEHIND_ELSE;
		return push(&part, p, FRAME_IN_PART, 0);
	}
	*was_part = false;
	return LB_OK;
}

/* (delegate l)) : takes the place of the end. */
static lb_err folded_delegate(struct lb_buf *out, struct parser *p, struct frame *top)
{
	LB_TRY(delegate(out, p, top));
	pop(p);
	LB_TRY(engine_parse_close(p));
	return engine_parse_close(p);
}

static lb_err open_folded(struct lb_buf *out, struct parser *p, struct frame *top)
{
	struct frame *frame;
	bool was_part;
	uint8_t hint;
	unsigned op;

	LB_TRY(take_hint(&hint, p));
	LB_TRY(open_part(&was_part, out, p, top));
	if (was_part)
		return LB_OK;
	if (top != NULL && top->kind == FRAME_BEHIND_PART && engine_parse_take_open(p, "delegate"))
		return folded_delegate(out, p, top);
	engine_parse_step(p);
	LB_TRY(find_op(&op, p));
	LB_TRY(check_hint(p, hint, op));
	if (!takes_folded(top) || is_part(op))
		return engine_parse_unexpected(p);
	engine_parse_step(p);
	if (is_block(op) && op != ENGINE_OP_IF)
		return open_block(out, p, block_kind(op, true), op);
	LB_TRY(push(&frame, p, op == ENGINE_OP_IF ? FRAME_IN_IF : FRAME_FOLDED, op));
	frame->hint = hint;
	return op == ENGINE_OP_IF ? parse_block_head(&p->pending, p, frame, op)
	                          : engine_parse_immediates(&p->pending, p, op);
}

/* The parenthesis that closes a frame. */
static lb_err close_folded(struct lb_buf *out, struct parser *p, struct frame *top)
{
	switch ((enum frame_kind)top->kind) {
	case FRAME_FOLDED:
		write_hint(p, out, top->hint);
		write_pending(out, p, top);
		break;
	case FRAME_IN_BLOCK:
	case FRAME_BEHIND_THEN:
	case FRAME_BEHIND_ELSE:
	case FRAME_BEHIND_PART:
		engine_encode_op(out, ENGINE_OP_END);
		close_label(p, top);
		break;
	case FRAME_IN_THEN:
	case FRAME_IN_ELSE:
	case FRAME_IN_PART: break;
	case FRAME_BLOCK: /* an end is missing */
	case FRAME_IF:
	case FRAME_TRY:
	case FRAME_IN_IF: /* a part is */
	case FRAME_IN_TRY: return engine_parse_unexpected(p);
	}
	pop(p);
	engine_parse_step(p);
	return LB_OK;
}

/* ---- all ---- */

/* One step; *done at the parenthesis that closes what is around. */
static lb_err step(bool *done, struct lb_buf *out, struct parser *p, size_t base)
{
	struct frame *top = top_of(p, base);

	*done = false;
	if (here(p)->kind == ENGINE_TOKEN_WORD)
		return flat(out, p, top);
	if (here(p)->kind == ENGINE_TOKEN_OPEN)
		return open_folded(out, p, top);
	if (here(p)->kind != ENGINE_TOKEN_CLOSE)
		return engine_parse_unexpected(p);
	*done = top == NULL;
	return *done ? LB_OK : close_folded(out, p, top);
}

lb_err engine_parse_body(struct lb_buf *out, struct parser *p)
{
	size_t base = p->frames.count;
	bool done = false;

	p->depth = 1;
	while (!done)
		LB_TRY(step(&done, out, p, base));
	engine_encode_op(out, ENGINE_OP_END);
	LB_TRY(lb_buf_check(&p->pending));
	return lb_buf_check(out);
}

/* One folded instruction is an expression too, where the text has no more around it. */
lb_err engine_parse_folded(struct lb_buf *out, struct parser *p)
{
	size_t base = p->frames.count;
	bool done;

	p->depth = 1;
	do
		LB_TRY(step(&done, out, p, base));
	while (p->frames.count > base);
	engine_encode_op(out, ENGINE_OP_END);
	return lb_buf_check(&p->pending);
}

lb_err engine_parse_expression(struct lb_buf *out, struct parser *p, const char *word)
{
	if (here(p)->kind != ENGINE_TOKEN_OPEN)
		return engine_parse_unexpected(p);
	if (!engine_parse_take_open(p, word))
		return engine_parse_folded(out, p);
	LB_TRY(engine_parse_body(out, p));
	return engine_parse_close(p);
}
