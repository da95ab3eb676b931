/* yaml_node.c - the nodes that the YAML reader makes, and the limits they keep to. */
#include "base/data/yaml_priv.h"

static lb_err count_events(struct yaml_reader *r, uint32_t more, struct lb_place place)
{
	if (more > r->limits.events_max - r->events)
		return lb_yaml_fail(r, LB_E_LIMIT, place,
		                    "more than %u values, with aliases expanded",
		                    r->limits.events_max);
	r->events += more;
	return LB_OK;
}

static lb_err check_depth(struct yaml_reader *r, uint32_t height, struct lb_place place)
{
	if (height > r->limits.depth_max || r->depth > r->limits.depth_max - height)
		return lb_yaml_fail(r, LB_E_LIMIT, place, "nested more than %u deep",
		                    r->limits.depth_max);
	return LB_OK;
}

lb_err lb_yaml_node_new(struct yaml_node **out, struct yaml_reader *r, enum lb_yaml_kind kind,
                        struct lb_place place, const struct yaml_properties *properties)
{
	struct yaml_node *node;

	LB_TRY(count_events(r, 1, place));
	node = LB_ARENA_NEW(r->arena, struct yaml_node, 1);
	if (node == NULL)
		return lb_err_of(LB_E_NOMEM);
	node->shown.kind = kind;
	node->shown.line = place.line;
	node->shown.column = place.column;
	node->events = 1;
	*out = node;
	return properties->at != NULL ? lb_yaml_node_adorn(r, node, properties) : LB_OK;
}

lb_err lb_yaml_node_adorn(struct yaml_reader *r, struct yaml_node *node,
                          const struct yaml_properties *properties)
{
	if (properties->tag.len > 0)
		node->shown.tag = properties->tag;
	if (node->shown.kind == LB_YAML_SCALAR) {
		node->shown.line = properties->place.line;
		node->shown.column = properties->place.column;
	}
	return properties->anchor.len > 0 ? lb_map_put(&r->anchors, properties->anchor, node)
	                                  : LB_OK;
}

lb_err lb_yaml_deliver(struct yaml_reader *r, struct yaml_node *node)
{
	struct yaml_node **slot = lb_vec_add(&r->finished);

	if (slot == NULL)
		return lb_err_of(LB_E_NOMEM);
	*slot = node;
	return LB_OK;
}

lb_err lb_yaml_scalar_new(struct yaml_reader *r, enum lb_yaml_style style, struct lb_bytes text,
                          struct lb_place place, const struct yaml_properties *properties)
{
	struct yaml_node *node;

	LB_TRY(lb_yaml_node_new(&node, r, LB_YAML_SCALAR, place, properties));
	node->shown.style = style;
	node->shown.text = text;
	return lb_yaml_deliver(r, node);
}

static struct yaml_node *finished_at(const struct yaml_reader *r, size_t index)
{
	return *LB_VEC_AT(&r->finished, struct yaml_node *, index);
}

struct yaml_node *lb_yaml_last(const struct yaml_reader *r)
{
	return finished_at(r, r->finished.count - 1);
}

/* ---- collections ---- */

lb_err lb_yaml_begin(struct yaml_frame *out, struct yaml_reader *r, enum lb_yaml_kind kind,
                     struct lb_place place, const struct yaml_properties *properties,
                     bool has_first)
{
	uint32_t height = has_first ? lb_yaml_last(r)->height + 1 : 1;

	out->items_from = r->finished.count - has_first;
	LB_TRY(lb_yaml_node_new(&out->node, r, kind, place, properties));
	LB_TRY(check_depth(r, height, place));
	out->node->open = true;
	r->depth++;
	return LB_OK;
}

lb_err lb_yaml_end(struct yaml_reader *r, const struct yaml_frame *frame)
{
	size_t count = r->finished.count - frame->items_from;
	struct yaml_node *node = frame->node;
	struct lb_yaml_node **items = NULL;
	uint32_t height = 0;

	r->depth--;
	if (count > 0) {
		items = LB_ARENA_NEW(r->arena, struct lb_yaml_node *, count);
		if (items == NULL)
			return lb_err_of(LB_E_NOMEM);
	}
	for (size_t i = 0; i < count; i++) {
		struct yaml_node *item = finished_at(r, frame->items_from + i);

		items[i] = &item->shown;
		node->events += item->events;
		height = item->height > height ? item->height : height;
	}
	node->shown.items = items;
	node->shown.count = (uint32_t)count;
	node->height = height + 1;
	node->open = false;
	r->finished.count = frame->items_from;
	return lb_yaml_deliver(r, node);
}

/* ---- aliases ---- */

lb_err lb_yaml_alias(struct yaml_reader *r)
{
	struct lb_place place = lb_yaml_place(r, r->at);
	struct yaml_node *target;
	struct lb_bytes name;

	LB_TRY(lb_yaml_anchor_name(&name, r));
	target = lb_map_get(&r->anchors, name);
	if (target == NULL)
		return lb_yaml_fail(r, LB_E_MALFORMED, place, "no anchor &%.*s before this alias",
		                    LB_FMT(name));
	if (target->open)
		return lb_yaml_fail(r, LB_E_MALFORMED, place,
		                    "alias *%.*s stands inside of what it stands for",
		                    LB_FMT(name));
	LB_TRY(count_events(r, target->events, place));
	LB_TRY(check_depth(r, target->height, place));
	target->shown.aliased = true;
	return lb_yaml_deliver(r, target);
}
