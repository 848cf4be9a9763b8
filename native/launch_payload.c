/*
 * Reads the payload (electron/shared/launch-payload.ts): NUL-terminated strings, "CVL1", umask, ignored
 * signals, limits, directory, number of arguments, arguments, environment.
 *
 * *Does*: copies the memory file once, so that nobody can change or shorten it under the parser, and checks
 * every field; anything odd is EINVAL.
 * *Must not*: run with any privilege (its stage comes after the drop), or act on what it read: the app's
 * process does that after the fork.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launch.h"

/* maxPayloadBytes of launch-payload.ts */
#define PAYLOAD_MAX (4 * 1024 * 1024)

/* Where the parser is: the next string begins at `next`, the file ends at `end`. */
struct reader {
	char *next;
	const char *end;
};

/* The next string, or NULL at the end. The last byte of the file is known to be a NUL. */
static char *take_string(struct reader *reader)
{
	char *text = reader->next;

	if (text >= reader->end)
		return NULL;
	reader->next += strlen(text) + 1;
	return text;
}

/* Digits of `base` (8, 10, 16) from *text, at least one, at most `limit`; *text is moved behind them. */
static bool take_number(const char **text, unsigned base, uint64_t limit, uint64_t *value)
{
	const char *start = *text;

	for (*value = 0;; (*text)++) {
		const char c = **text;
		unsigned digit;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			digit = (unsigned)(c - 'a') + 10;
		else
			digit = base;
		if (digit >= base)
			return *text != start;
		if (digit > limit || *value > (limit - digit) / base)
			return false;
		*value = *value * base + digit;
	}
}

/* A string that is one number and nothing else. */
static bool read_number(const char *text, unsigned base, uint64_t limit, uint64_t *value)
{
	return text && take_number(&text, base, limit, value) && *text == '\0';
}

static bool take_limit_value(const char **text, rlim_t *value)
{
	uint64_t number;

	if (strncmp(*text, "-1", 2) == 0) {
		*text += 2;
		*value = RLIM_INFINITY;
		return true;
	}
	if (!take_number(text, 10, UINT64_MAX, &number))
		return false;
	*value = (rlim_t)number;
	return true;
}

/* "7:1024:20000,…": resource, soft, hard. An empty string is none. */
static bool read_limits(const char *text, struct launch_payload *payload)
{
	if (!text)
		return false;
	while (*text) {
		struct launch_limit *limit = &payload->limits[payload->limit_count];
		uint64_t resource;

		if (payload->limit_count == RLIM_NLIMITS)
			return false;
		if (!take_number(&text, 10, RLIM_NLIMITS - 1, &resource) || *text++ != ':')
			return false;
		if (!take_limit_value(&text, &limit->values.rlim_cur) || *text++ != ':')
			return false;
		if (!take_limit_value(&text, &limit->values.rlim_max))
			return false;
		limit->resource = (int)resource;
		payload->limit_count++;
		if (*text == ',' && text[1] != '\0')
			text++;
		else if (*text != '\0')
			return false;
	}
	return true;
}

/* Number of strings that are left. */
static size_t count_strings(struct reader reader)
{
	size_t count = 0;

	while (take_string(&reader))
		count++;
	return count;
}

static int parse(struct launch_payload *payload, size_t size)
{
	struct reader reader = {payload->bytes, payload->bytes + size};
	const char *magic = take_string(&reader);
	uint64_t mask, ignored, count;
	size_t left;

	if (!magic || strcmp(magic, "CVL1") != 0)
		return -EINVAL;
	if (!read_number(take_string(&reader), 8, 0777, &mask))
		return -EINVAL;
	if (!read_number(take_string(&reader), 16, UINT64_MAX, &ignored))
		return -EINVAL;
	if (!read_limits(take_string(&reader), payload))
		return -EINVAL;
	payload->umask = (mode_t)mask;
	payload->ignored = ignored;
	payload->directory = take_string(&reader);
	if (!payload->directory || payload->directory[0] != '/')
		return -EINVAL;
	if (!read_number(take_string(&reader), 10, PAYLOAD_MAX, &count))
		return -EINVAL;
	left = count_strings(reader);
	if (count == 0 || count > left)
		return -EINVAL;
	payload->arguments = calloc(count + 1, sizeof(char *));
	payload->environment = calloc(left - count + 1, sizeof(char *));
	if (!payload->arguments || !payload->environment)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		payload->arguments[i] = take_string(&reader);
	for (size_t i = 0; i < left - count; i++) {
		payload->environment[i] = take_string(&reader);
		if (!strchr(payload->environment[i], '='))
			return -EINVAL;
	}
	return 0;
}

int launch_read_payload(struct launch *launch)
{
	struct launch_payload *payload = &launch->payload;
	struct stat stat;
	ssize_t size;

	if (fstat(LAUNCH_PAYLOAD, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode) || stat.st_size < 1 || stat.st_size > PAYLOAD_MAX)
		return -EINVAL;
	payload->bytes = malloc((size_t)stat.st_size);
	if (!payload->bytes)
		return -ENOMEM;
	/* The engine has written it through the same open file: its offset is wherever that left it. */
	if (lseek(LAUNCH_PAYLOAD, 0, SEEK_SET) < 0)
		return -errno;
	size = launch_read_all(LAUNCH_PAYLOAD, payload->bytes, (size_t)stat.st_size);
	close(LAUNCH_PAYLOAD);
	if (size < 0)
		return (int)size;
	if (size != stat.st_size || payload->bytes[size - 1] != '\0')
		return -EINVAL;
	return parse(payload, (size_t)size);
}
