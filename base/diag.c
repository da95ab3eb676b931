/* diag.c - see diag.h. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Drop an incomplete UTF-8 character that the cut left at the end. */
static void trim_partial(char *text)
{
	size_t len = strlen(text);
	size_t back = 0;
	unsigned char lead;
	size_t want;

	if (len < LB_DIAG_SIZE - 1)
		return;
	while (back < 3 && back < len - 1 && ((unsigned char)text[len - 1 - back] & 0xc0) == 0x80)
		back++;
	lead = (unsigned char)text[len - 1 - back];
	want = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	if (lead >= 0xc0 && back < want)
		text[len - 1 - back] = '\0';
}

__attribute__((format(printf, 2, 0))) static void set_list(struct lb_diag *diag, const char *format,
                                                           va_list args)
{
	(void)vsnprintf(diag->text, sizeof diag->text, format, args);
	trim_partial(diag->text);
}

void lb_diag_set(struct lb_diag *diag, const char *format, ...)
{
	va_list args;

	if (diag == NULL)
		return;
	va_start(args, format);
	set_list(diag, format, args);
	va_end(args);
}

void lb_diag_prefix(struct lb_diag *diag, const char *format, ...)
{
	struct lb_diag old;
	size_t used;
	va_list args;

	if (diag == NULL)
		return;
	old = *diag;
	va_start(args, format);
	set_list(diag, format, args);
	va_end(args);
	used = strlen(diag->text);
	(void)snprintf(diag->text + used, sizeof diag->text - used, ": %s", old.text);
	trim_partial(diag->text);
}

lb_err lb_fail(struct lb_diag *diag, enum lb_code code, const char *format, ...)
{
	va_list args;

	if (diag != NULL) {
		va_start(args, format);
		set_list(diag, format, args);
		va_end(args);
	}
	return lb_err_of(code);
}

const char *lb_diag_text(const struct lb_diag *diag, lb_err err)
{
	return diag != NULL && diag->text[0] != '\0' ? diag->text : lb_err_text(err);
}
