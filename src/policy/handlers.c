// SPDX-License-Identifier: GPL-2.0-only
/* Checking and storing values, one function a kind; see handlers.h. */
#include "policy/handlers.h"

#include <errno.h>
#include <regex.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/diagnostics.h"

#define CANDIDATES_MAX 16
#define DESCRIBE_BYTES 56
#define HINT_BYTES     (sizeof(((struct policy_diagnostic *)0)->hint))

void parse_report(struct parse *p, const struct node *n, const char *hint, const char *fmt, ...)
{
	char text[sizeof(((struct policy_diagnostic *)0)->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diagnose(p->diagnostics, n->line, n->column, hint, "%s", text);
}

/* The value as it can stand in a message. */
static const char *describe(const struct node *n, char out[DESCRIBE_BYTES])
{
	switch (n->kind) {
	case NODE_SCALAR:
		if (node_is_null(n))
			return "nothing";
		snprintf(out, DESCRIBE_BYTES, strlen(n->text) > 40 ? "\"%.37s...\"" : "\"%s\"",
			 n->text);
		return out;
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a mapping";
	case NODE_BROKEN:
		break;
	}
	return "something else";
}

void parse_report_type(struct parse *p, const char *what, const struct node *n,
		       const char *expected, const char *hint)
{
	char value[DESCRIBE_BYTES];

	parse_report(p, n, hint, "\"%s\" must be %s, not %s", what, expected, describe(n, value));
}

void parse_suggest(const char *word, const char *const *candidates, size_t nr, const char *label,
		   char *out, size_t size)
{
	const char *nearest = text_nearest(word, candidates, nr);
	size_t length;

	if (nearest) {
		snprintf(out, size, "did you mean \"%s\"?", nearest);
		return;
	}
	length = (size_t)snprintf(out, size, "%s: ", label);
	for (size_t i = 0; i < nr && length < size; i++)
		length += (size_t)snprintf(out + length, size - length, "%s%s", i ? ", " : "",
					   candidates[i]);
}

static void report_unknown_key(struct parse *p, const struct value *value, const struct node *n)
{
	const char *candidates[CANDIDATES_MAX];
	char hint[HINT_BYTES], found[DESCRIBE_BYTES];
	size_t nr = 0;

	for (size_t i = 0; i < value->nr_keys && nr < CANDIDATES_MAX; i++)
		if (!value->keys[i].refused)
			candidates[nr++] = value->keys[i].name;
	parse_suggest(n->text, candidates, nr, "valid keys", hint, sizeof(hint));
	parse_report(p, n, hint, "unknown key %s", describe(n, found));
}

static const struct word *find_word(struct parse *p, const struct key *key, const struct node *n)
{
	const struct value *value = key->value;
	const char *candidates[CANDIDATES_MAX];
	char hint[HINT_BYTES], found[DESCRIBE_BYTES];

	if (n->kind == NODE_SCALAR)
		for (size_t i = 0; i < value->nr_words; i++)
			if (!strcmp(value->words[i].name, n->text))
				return &value->words[i];
	for (size_t i = 0; i < value->nr_words && i < CANDIDATES_MAX; i++)
		candidates[i] = value->words[i].name;
	parse_suggest(n->kind == NODE_SCALAR ? n->text : "", candidates, value->nr_words,
		      "valid values", hint, sizeof(hint));
	parse_report(p, n, hint, "\"%s\" cannot be %s", key->name, describe(n, found));
	return NULL;
}

/* Whether the key at index `at` stands in the map before; reports it. */
static bool is_duplicate(struct parse *p, const struct node *map, size_t at)
{
	const struct node *key = &map->items[at];
	char hint[64], found[DESCRIBE_BYTES];

	for (size_t i = 0; i < at; i += 2) {
		if (map->items[i].kind != NODE_SCALAR || strcmp(map->items[i].text, key->text) != 0)
			continue;
		snprintf(hint, sizeof(hint), "it is first set on line %u", map->items[i].line);
		parse_report(p, key, hint, "duplicate key %s", describe(key, found));
		return true;
	}
	return false;
}

/* Whether the node can be used as a map; reports it if not. */
bool parse_is_map(struct parse *p, const char *what, const struct node *n)
{
	if (n->kind == NODE_BROKEN)
		return false;
	if (n->kind != NODE_MAP) {
		parse_report_type(p, what, n, "a mapping", "write \"key: value\" pairs");
		return false;
	}
	if (n->nr == 0)
		parse_report(p, n, "leave the key out instead", "\"%s\" is empty", what);
	return n->nr > 0;
}

bool parse_is_list(struct parse *p, const char *what, const struct node *n)
{
	if (n->kind == NODE_BROKEN)
		return false;
	if (n->kind != NODE_LIST) {
		parse_report_type(p, what, n, "a list", "start each entry with \"- \"");
		return false;
	}
	if (n->nr == 0)
		parse_report(p, n, "leave the key out instead", "\"%s\" is empty", what);
	return n->nr > 0;
}

/* Whether the key at index `at` of the map is a word and new there; reports it if not. */
bool parse_is_new_key(struct parse *p, const struct node *map, size_t at)
{
	if (map->items[at].kind == NODE_BROKEN)
		return false;
	if (map->items[at].kind != NODE_SCALAR) {
		parse_report(p, &map->items[at], NULL, "a key must be a word");
		return false;
	}
	return !is_duplicate(p, map, at);
}

static const struct key *find_key(const struct value *value, const char *name)
{
	for (size_t i = 0; i < value->nr_keys; i++)
		if (!strcmp(value->keys[i].name, name))
			return &value->keys[i];
	return NULL;
}

void parse_object(struct parse *p, const char *what, const struct value *value,
		  const struct node *n, void *object)
{
	if (!parse_is_map(p, what, n))
		return;
	for (size_t i = 0; i + 1 < n->nr; i += 2) {
		const struct node *name = &n->items[i], *child = &n->items[i + 1];
		const struct key *key;

		if (!parse_is_new_key(p, n, i))
			continue;
		key = find_key(value, name->text);
		if (!key)
			report_unknown_key(p, value, name);
		else if (key->refused)
			parse_report(p, name, NULL, "%s", key->refused);
		else if (node_is_null(child))
			parse_report(p, name, "give it a value or leave it out",
				     "\"%s\" has no value", key->name);
		else if (child->kind != NODE_BROKEN)
			key->handle(p, key, child, object);
	}
	for (size_t i = 0; i < value->nr_keys; i++)
		if (value->keys[i].required && !node_get(n, value->keys[i].name))
			parse_report(p, n, NULL, "\"%s\" is missing in %s", value->keys[i].name,
				     what);
}

void handle_object(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	parse_object(p, key->name, key->value, n, (char *)object + key->offset);
}

void handle_word(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	const struct word *word = find_word(p, key, n);

	if (word)
		memcpy((char *)object + key->offset, &word->value, sizeof(word->value));
}

void handle_flags(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	unsigned int flags = 0;

	if (!parse_is_list(p, key->name, n))
		return;
	for (size_t i = 0; i < n->nr; i++) {
		const struct word *word;

		if (n->items[i].kind == NODE_BROKEN)
			continue;
		word = find_word(p, key, &n->items[i]);
		if (!word)
			continue;
		if (flags & word->value)
			parse_report(p, &n->items[i], NULL, "\"%s\" stands twice in \"%s\"",
				     word->name, key->name);
		flags |= word->value;
	}
	memcpy((char *)object + key->offset, &flags, sizeof(flags));
}

void handle_switches(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	unsigned int none = 0;

	if (n->kind == NODE_SCALAR && n->plain &&
	    (strcmp(n->text, "off") == 0 || strcmp(n->text, "no") == 0 ||
	     strcmp(n->text, "false") == 0))
		memcpy((char *)object + key->offset, &none, sizeof(none));
	else if (n->kind == NODE_SCALAR)
		parse_report_type(p, key->name, n, "off or a list", "write [word, word]");
	else
		handle_flags(p, key, n, object);
}

static bool read_bool(struct parse *p, const struct key *key, const struct node *n, bool *out)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };

	for (size_t i = 0; n->kind == NODE_SCALAR && n->plain && i < 6; i++) {
		if (strcmp(words[i], n->text) != 0)
			continue;
		*out = i % 2;
		return true;
	}
	parse_report_type(p, key->name, n, "true or false", NULL);
	return false;
}

void handle_bool(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	read_bool(p, key, n, (bool *)((char *)object + key->offset));
}

void handle_tristate(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	enum policy_tristate state;
	bool value;

	if (!read_bool(p, key, n, &value))
		return;
	state = value ? POLICY_YES : POLICY_NO;
	memcpy((char *)object + key->offset, &state, sizeof(state));
}

bool parse_integer(struct parse *p, const char *what, const struct value *value,
		   const struct node *n, uint64_t *out)
{
	bool digits = n->kind == NODE_SCALAR && n->plain && n->text[0] &&
		      n->text[strspn(n->text, "0123456789")] == '\0';
	char expected[80];

	if (digits && n->text[0] == '0' && n->text[1]) {
		parse_report(p, n, "write it without leading zeros",
			     "\"%s\" must be a decimal integer", what);
		return false;
	}
	if (digits) {
		errno = 0;
		*out = strtoull(n->text, NULL, 10);
		if (errno == 0 && *out >= value->min && *out <= value->max)
			return true;
	}
	snprintf(expected, sizeof(expected), "an integer from %llu to %llu",
		 (unsigned long long)value->min, (unsigned long long)value->max);
	parse_report_type(p, what, n, expected,
			  n->kind == NODE_SCALAR && !n->plain ? "write it without quotes" : NULL);
	return false;
}

void handle_integer(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	uint64_t number;
	uint32_t stored;

	if (!parse_integer(p, key->name, key->value, n, &number))
		return;
	stored = (uint32_t)number;
	memcpy((char *)object + key->offset, &stored, sizeof(stored));
}

bool parse_quantity(struct parse *p, const char *what, const struct value *v, const struct node *n,
		    uint64_t *out)
{
	char min[QUANTITY_TEXT_BYTES], max[QUANTITY_TEXT_BYTES], expected[128], hint[64];
	bool bare = n->kind == NODE_SCALAR && n->text[0] &&
		    n->text[strspn(n->text, "0123456789")] == '\0';

	if (n->kind == NODE_SCALAR && quantity_parse(v->quantity, n->text, out) == 0 &&
	    *out >= v->min && *out <= v->max)
		return true;
	quantity_format(v->quantity, v->min, min);
	quantity_format(v->quantity, v->max, max);
	snprintf(expected, sizeof(expected), "%s from %s to %s", quantity_name(v->quantity), min,
		 max);
	snprintf(hint, sizeof(hint), "add the unit: %s", quantity_units(v->quantity));
	parse_report_type(p, what, n, expected, bare ? hint : NULL);
	return false;
}

void handle_quantity(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	uint64_t number;

	if (parse_quantity(p, key->name, key->value, n, &number))
		memcpy((char *)object + key->offset, &number, sizeof(number));
}

void handle_quantity32(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	uint64_t number;
	uint32_t stored;

	if (!parse_quantity(p, key->name, key->value, n, &number))
		return;
	stored = (uint32_t)number;
	memcpy((char *)object + key->offset, &stored, sizeof(stored));
}

void handle_version(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	if (n->kind == NODE_SCALAR && n->plain && n->text[0] &&
	    n->text[strspn(n->text, "0123456789")] == '\0' && strcmp(n->text, "1") != 0)
		parse_report(p, n, "this program knows version 1", "version %.20s is not supported",
			     n->text);
	else
		handle_integer(p, key, n, object);
}

/* Whether the node is a string that matches the pattern; reports it if not. */
bool parse_is_text(struct parse *p, const char *what, const struct value *value,
		   const struct node *n)
{
	bool good = false;
	regex_t regex;

	if (n->kind == NODE_SCALAR) {
		if (regcomp(&regex, value->pattern, REG_EXTENDED | REG_NOSUB) != 0) {
			p->no_memory = true;
			return false;
		}
		good = regexec(&regex, n->text, 0, NULL, 0) == 0;
		regfree(&regex);
	}
	if (!good)
		parse_report_type(p, what, n, value->expected, NULL);
	return good;
}

void handle_name(struct parse *p, const struct key *key, const struct node *n, void *object)
{
	if (parse_is_text(p, key->name, key->value, n))
		memcpy((char *)object + key->offset, n->text, strlen(n->text) + 1);
}
