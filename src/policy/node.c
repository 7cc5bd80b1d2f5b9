// SPDX-License-Identifier: GPL-2.0-only
/* YAML text to a tree of nodes with positions; see node.h. */
#include "policy/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "policy/diagnostics.h"
#include "util/cleanup.h"

struct reader {
	yaml_parser_t yaml;
	struct policy_diagnostics *diagnostics;
	const char *text;
	size_t size;
	size_t nr_nodes;
};

static int fail_at(struct reader *r, yaml_mark_t mark, const char *hint, const char *what)
{
	diagnose(r->diagnostics, (unsigned int)mark.line + 1, (unsigned int)mark.column + 1, hint,
		 "%s", what);
	return -EINVAL;
}

static bool tab_at(const struct reader *r, yaml_mark_t mark)
{
	const char *s = r->text;
	size_t left = r->size;

	/* mark.index counts characters. */
	for (size_t i = 0; i < mark.index && left > 0; i++) {
		size_t n = text_utf8_length(s, left);

		s += n;
		left -= n;
	}
	return left > 0 && *s == '\t';
}

static int fail_syntax(struct reader *r)
{
	const yaml_parser_t *y = &r->yaml;
	const char *problem = y->problem ? y->problem : "not valid YAML";
	unsigned int line, column;
	char hint[128] = "";

	if (y->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (y->error == YAML_READER_ERROR) {
		text_position(r->text, r->size, y->problem_offset, &line, &column);
		diagnose(r->diagnostics, line, column, NULL, "YAML: %s", problem);
		return -EINVAL;
	}
	if (tab_at(r, y->problem_mark))
		snprintf(hint, sizeof(hint), "indent with spaces: YAML does not take tabs");
	else if (y->context)
		snprintf(hint, sizeof(hint), "%s that starts on line %zu", y->context,
			 y->context_mark.line + 1);
	diagnose(r->diagnostics, (unsigned int)y->problem_mark.line + 1,
		 (unsigned int)y->problem_mark.column + 1, hint, "YAML: %s", problem);
	return -EINVAL;
}

static int next_event(struct reader *r, yaml_event_t *event)
{
	if (!yaml_parser_parse(&r->yaml, event)) {
		memset(event, 0, sizeof(*event));
		return fail_syntax(r);
	}
	return 0;
}

/* A tag changes nothing in how a value is read, so reading goes on. */
static void refuse_tag(struct reader *r, const yaml_event_t *event)
{
	const yaml_char_t *tag = NULL;

	if (event->type == YAML_SCALAR_EVENT)
		tag = event->data.scalar.tag;
	else if (event->type == YAML_SEQUENCE_START_EVENT)
		tag = event->data.sequence_start.tag;
	else if (event->type == YAML_MAPPING_START_EVENT)
		tag = event->data.mapping_start.tag;
	if (tag)
		fail_at(r, event->start_mark, "leave it out; the type follows from the key",
			"YAML tags are not supported");
}

static struct node *node_append(struct node *parent)
{
	if (parent->nr == parent->capacity) {
		size_t capacity = parent->capacity ? 2 * parent->capacity : 4;
		struct node *items = realloc(parent->items, capacity * sizeof(*items));

		if (!items)
			return NULL;
		parent->items = items;
		parent->capacity = capacity;
	}
	memset(&parent->items[parent->nr], 0, sizeof(*parent->items));
	return &parent->items[parent->nr++];
}

static int read_scalar(struct reader *r, const yaml_event_t *event, struct node *out)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;

	out->kind = NODE_SCALAR;
	out->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (memchr(value, '\0', length)) {
		out->kind = NODE_BROKEN;
		fail_at(r, event->start_mark, NULL, "a value contains a NUL character");
		return 0;
	}
	out->text = strndup(value, length);
	return out->text ? 0 : -ENOMEM;
}

/* Recursion ends at NODE_DEPTH_MAX. */
static int read_node(struct reader *r, const yaml_event_t *event, unsigned int depth,
		     struct node *out)
{
	yaml_event_type_t end = YAML_MAPPING_END_EVENT;
	int rc = 0;

	out->line = (unsigned int)event->start_mark.line + 1;
	out->column = (unsigned int)event->start_mark.column + 1;
	if (++r->nr_nodes > NODE_COUNT_MAX)
		return fail_at(r, event->start_mark, NULL, "the file has more than 10000 values");
	if (depth > NODE_DEPTH_MAX)
		return fail_at(r, event->start_mark, NULL, "nested more than 16 levels deep");
	if (event->type == YAML_ALIAS_EVENT) {
		out->kind = NODE_BROKEN;
		fail_at(r, event->start_mark, "write the value out",
			"YAML aliases are not supported");
		return 0;
	}
	refuse_tag(r, event);
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(r, event, out);
	out->kind = NODE_MAP;
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		out->kind = NODE_LIST;
		end = YAML_SEQUENCE_END_EVENT;
	}
	while (rc == 0) {
		_cleanup_(yaml_event_delete) yaml_event_t child = { 0 };
		struct node *slot;

		rc = next_event(r, &child);
		if (rc < 0 || child.type == end)
			break;
		slot = node_append(out);
		rc = slot ? read_node(r, &child, depth + 1, slot) : -ENOMEM;
	}
	return rc;
}

static int read_document(struct reader *r, struct node *out)
{
	bool seen = false;

	for (;;) {
		_cleanup_(yaml_event_delete) yaml_event_t event = { 0 };
		int rc = next_event(r, &event);

		if (rc < 0)
			return rc;
		if (event.type == YAML_STREAM_END_EVENT)
			break;
		if (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_END_EVENT)
			continue;
		if (event.type == YAML_DOCUMENT_START_EVENT) {
			if (seen)
				return fail_at(r, event.start_mark,
					       "put each policy in a file of its own",
					       "a second YAML document starts here");
			seen = true;
			continue;
		}
		rc = read_node(r, &event, 1, out);
		if (rc < 0)
			return rc;
	}
	if (seen)
		return 0;
	diagnose(r->diagnostics, 1, 1, "start with \"version: 1\"", "the file is empty");
	return -EINVAL;
}

static int check_encoding(struct reader *r)
{
	const char *problem = NULL, *hint = NULL;
	unsigned int line, column;
	size_t at, n;

	for (at = 0; at < r->size; at += n) {
		n = text_utf8_length(r->text + at, r->size - at);
		if (n == 0) {
			problem = "the file is not UTF-8";
			hint = "save it as UTF-8";
			break;
		}
		if (r->text[at] == '\0') {
			problem = "the file contains a NUL byte";
			break;
		}
	}
	if (!problem)
		return 0;
	text_position(r->text, r->size, at, &line, &column);
	diagnose(r->diagnostics, line, column, hint, "%s", problem);
	return -EINVAL;
}

int node_read(const char *text, size_t size, struct node *out, struct policy_diagnostics *d)
{
	struct reader r = { .diagnostics = d };
	int rc;

	memset(out, 0, sizeof(*out));
	if (size > NODE_FILE_BYTES_MAX) {
		diagnose(d, 1, 1, NULL, "the file is larger than 1 MiB");
		return -EINVAL;
	}
	r.text = text;
	r.size = size;
	rc = check_encoding(&r);
	if (rc < 0)
		return rc;
	if (!yaml_parser_initialize(&r.yaml))
		return -ENOMEM;
	yaml_parser_set_encoding(&r.yaml, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.yaml, (const unsigned char *)text, size);
	rc = read_document(&r, out);
	yaml_parser_delete(&r.yaml);
	return rc;
}

void node_clear(struct node *n)
{
	for (size_t i = 0; i < n->nr; i++)
		node_clear(&n->items[i]);
	free(n->items);
	free(n->text);
	memset(n, 0, sizeof(*n));
}

const struct node *node_get(const struct node *n, const char *key)
{
	if (n->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i + 1 < n->nr; i += 2)
		if (n->items[i].kind == NODE_SCALAR && !strcmp(n->items[i].text, key))
			return &n->items[i + 1];
	return NULL;
}

bool node_is_null(const struct node *n)
{
	return n->kind == NODE_SCALAR && n->plain &&
	       (!n->text[0] || !strcmp(n->text, "~") || !strcmp(n->text, "null"));
}
