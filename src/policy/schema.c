// SPDX-License-Identifier: GPL-2.0-only
/* The JSON schema of the policy language, written from the parser's tables. */
#include "policy/policy.h"

#include "policy/grammar.h"
#include "util/json.h"

static void print_words(struct json *j, const struct value *v)
{
	json_key(j, "enum");
	json_array_open(j);
	for (size_t i = 0; i < v->nr_words; i++)
		json_string(j, v->words[i].name);
	json_array_close(j);
}

static void print_integer(struct json *j, const struct value *v)
{
	json_key_string(j, "type", "integer");
	json_key_uint(j, "minimum", v->min);
	json_key_uint(j, "maximum", v->max);
}

static void print_text(struct json *j, const struct value *v)
{
	json_key_string(j, "type", "string");
	json_key_string(j, "pattern", v->pattern);
}

static void print_word_list(struct json *j, const struct value *v)
{
	json_key_string(j, "type", "array");
	json_key_uint(j, "minItems", 1);
	json_key_bool(j, "uniqueItems", true);
	json_key(j, "items");
	json_object_open(j);
	print_words(j, v);
	json_object_close(j);
}

/* Editors differ in whether a plain "off" is a string or false. */
static void print_off(struct json *j)
{
	json_object_open(j);
	json_key(j, "enum");
	json_array_open(j);
	json_string(j, "off");
	json_bool(j, false);
	json_array_close(j);
	json_object_close(j);
}

static void print_switches(struct json *j, const struct value *v)
{
	json_key(j, "anyOf");
	json_array_open(j);
	print_off(j);
	json_object_open(j);
	print_word_list(j, v);
	json_object_close(j);
	json_array_close(j);
}

static void print_knobs(struct json *j, const struct value *v)
{
	json_key_string(j, "type", "object");
	json_key_uint(j, "minProperties", 1);
	json_key_uint(j, "maxProperties", v->max);
	json_key(j, "propertyNames");
	json_object_open(j);
	json_key_string(j, "pattern", v->pattern);
	json_object_close(j);
	json_key(j, "additionalProperties");
	json_object_open(j);
	json_key(j, "anyOf");
	json_array_open(j);
	json_object_open(j);
	print_integer(j, v->element);
	json_object_close(j);
	json_object_open(j);
	json_key_string(j, "type", "array");
	json_key_uint(j, "minItems", 1);
	json_key_uint(j, "maxItems", POLICY_KNOB_VALUES_MAX);
	json_key(j, "items");
	json_object_open(j);
	print_integer(j, v->element);
	json_object_close(j);
	json_object_close(j);
	json_array_close(j);
	json_object_close(j);
}

static void print_pattern_object(struct json *j, const char *pattern)
{
	json_object_open(j);
	json_key_string(j, "type", "string");
	json_key_string(j, "pattern", pattern);
	json_object_close(j);
}

static void print_number(struct json *j, const struct value *v)
{
	json_object_open(j);
	if (v->kind == VALUE_INTEGER) {
		print_integer(j, v);
	} else {
		json_key_string(j, "type", "string");
		json_key_string(j, "pattern", quantity_pattern(v->quantity));
	}
	json_object_close(j);
}

static void print_threshold(struct json *j, const struct value *v)
{
	struct value low = *v->element;

	low.min = 0;
	json_key(j, "anyOf");
	json_array_open(j);
	print_off(j);
	print_number(j, v->element);
	json_object_open(j);
	json_key_string(j, "type", "object");
	json_key_bool(j, "additionalProperties", false);
	json_key(j, "required");
	json_array_open(j);
	json_string(j, "enter");
	json_array_close(j);
	json_key(j, "properties");
	json_object_open(j);
	json_key(j, "enter");
	print_number(j, v->element);
	json_key(j, "leave");
	print_number(j, &low);
	json_object_close(j);
	json_object_close(j);
	json_array_close(j);
}

#define MODE_REF "#/$defs/mode"

static void print_modes(struct json *j, const struct value *v)
{
	json_key_string(j, "type", "object");
	json_key_uint(j, "minProperties", 1);
	json_key(j, "properties");
	json_object_open(j);
	for (size_t i = 0; i < v->nr_words; i++) {
		json_key(j, v->words[i].name);
		json_object_open(j);
		json_key_string(j, "$ref", MODE_REF);
		json_object_close(j);
	}
	json_object_close(j);
	json_key(j, "propertyNames");
	json_object_open(j);
	json_key_string(j, "pattern", v->pattern);
	json_object_close(j);
	json_key(j, "additionalProperties");
	json_object_open(j);
	json_key_string(j, "$ref", MODE_REF);
	json_object_close(j);
}

/* The words come first, for editors that offer them. */
static void print_mode(struct json *j, const struct value *v)
{
	json_key(j, "anyOf");
	json_array_open(j);
	json_object_open(j);
	print_words(j, v);
	json_object_close(j);
	print_pattern_object(j, v->pattern);
	json_array_close(j);
}

static void print_texts(struct json *j, const struct value *v)
{
	json_key(j, "anyOf");
	json_array_open(j);
	print_pattern_object(j, v->pattern);
	json_object_open(j);
	json_key_string(j, "type", "array");
	json_key_uint(j, "minItems", 1);
	json_key_uint(j, "maxItems", v->max);
	json_key(j, "items");
	print_pattern_object(j, v->pattern);
	json_object_close(j);
	json_array_close(j);
}

/* A number, a string, and with `list` a list of both. */
static void print_number_or_text(struct json *j, const struct value *v, bool list)
{
	json_key(j, "anyOf");
	json_array_open(j);
	json_object_open(j);
	print_integer(j, v->element);
	json_object_close(j);
	json_object_open(j);
	print_text(j, v);
	json_object_close(j);
	if (list) {
		json_object_open(j);
		json_key_string(j, "type", "array");
		json_key_uint(j, "minItems", 1);
		json_key_uint(j, "maxItems", v->max);
		json_key(j, "items");
		json_object_open(j);
		print_number_or_text(j, v, false);
		json_object_close(j);
		json_object_close(j);
	}
	json_array_close(j);
}

static void print_description(struct json *j, const struct key *key)
{
	char text[512];

	if (key->fallback)
		snprintf(text, sizeof(text), "%s Default: %s.", key->help, key->fallback);
	else
		snprintf(text, sizeof(text), "%s", key->help);
	json_key_string(j, "description", text);
}

/* Up to the place where the properties are written, which is left open. */
static void print_open_object(struct json *j, const struct value *v)
{
	bool required = false;

	json_key_string(j, "type", "object");
	json_key_uint(j, "minProperties", 1);
	json_key_bool(j, "additionalProperties", false);
	for (size_t i = 0; i < v->nr_keys; i++) {
		if (!v->keys[i].required)
			continue;
		if (!required) {
			json_key(j, "required");
			json_array_open(j);
		}
		required = true;
		json_string(j, v->keys[i].name);
	}
	if (required)
		json_array_close(j);
	json_key(j, "properties");
	json_object_open(j);
}

/* The members of the schema of one value, inside an object that is open. Recursion follows the
 * tables, which are finite. */
static void print_value(struct json *j, const struct value *v)
{
	switch (v->kind) {
	case VALUE_WORD:
		print_words(j, v);
		break;
	case VALUE_FLAGS:
		print_word_list(j, v);
		break;
	case VALUE_SWITCHES:
		print_switches(j, v);
		break;
	case VALUE_BOOL:
		json_key_string(j, "type", "boolean");
		break;
	case VALUE_INTEGER:
		print_integer(j, v);
		break;
	case VALUE_QUANTITY:
		json_key_string(j, "type", "string");
		json_key_string(j, "pattern", quantity_pattern(v->quantity));
		break;
	case VALUE_TEXT:
		print_text(j, v);
		break;
	case VALUE_USER:
	case VALUE_PORTS:
		print_number_or_text(j, v, v->kind == VALUE_PORTS);
		break;
	case VALUE_KNOBS:
		print_knobs(j, v);
		break;
	case VALUE_MODE:
		print_mode(j, v);
		break;
	case VALUE_TEXTS:
		print_texts(j, v);
		break;
	case VALUE_THRESHOLD:
		print_threshold(j, v);
		break;
	case VALUE_MODES:
		print_modes(j, v);
		break;
	case VALUE_LIST:
		json_key_string(j, "type", "array");
		json_key_uint(j, "minItems", 1);
		json_key_uint(j, "maxItems", v->max);
		json_key(j, "items");
		json_object_open(j);
		print_value(j, v->element);
		json_object_close(j);
		break;
	case VALUE_SCHEDULER:
		json_key_string(j, "$ref", "#/$defs/scheduler");
		break;
	case VALUE_OBJECT:
		print_open_object(j, v);
		for (size_t i = 0; i < v->nr_keys; i++) {
			const struct key *key = &v->keys[i];

			if (key->refused)
				continue;
			json_key(j, key->name);
			json_object_open(j);
			print_description(j, key);
			print_value(j, key->value);
			json_object_close(j);
		}
		json_object_close(j);
		break;
	}
}

/* A name alone or a mapping; written once and referred to. */
static void print_scheduler(struct json *j, const struct value *v)
{
	const struct value mapping = {
		VALUE_OBJECT,
		.keys = v->keys,
		.nr_keys = v->nr_keys,
	};

	json_key(j, "anyOf");
	json_array_open(j);
	json_object_open(j);
	print_value(j, v->element);
	json_object_close(j);
	json_object_open(j);
	print_value(j, &mapping);
	json_object_close(j);
	json_array_close(j);
}

void policy_schema_print(FILE *out)
{
	struct json j;

	json_init(&j, out, true);
	json_object_open(&j);
	json_key_string(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_key_string(&j, "title", "mptcp-pm policy");
	print_value(&j, &grammar_root);
	json_key(&j, "$defs");
	json_object_open(&j);
	json_key(&j, "scheduler");
	json_object_open(&j);
	print_scheduler(&j, &grammar_scheduler);
	json_object_close(&j);
	json_key(&j, "mode");
	json_object_open(&j);
	print_value(&j, grammar_modes.element);
	json_object_close(&j);
	json_object_close(&j);
	json_object_close(&j);
	json_end(&j);
}
