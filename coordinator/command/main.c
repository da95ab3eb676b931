/* main.c - lifeboat-coordinator: plans runs, queues jobs, keeps what they said. */
#include "coordinator/client/commands.h"
#include "coordinator/command/commands.h"

static const struct lb_command commands[] = {
#define COMMAND(name_, run_, operands_, least, most, options_, about_, details_) \
	{ .name = (name_), \
	  .operands = (operands_), \
	  .about = (about_), \
	  .options = (options_), \
	  .operands_min = (least), \
	  .operands_max = (most), \
	  .run = (run_), \
	  .details = (details_) },
#include "coordinator/command/commands.def"
#undef COMMAND
	{ 0 },
};

static const struct lb_program program = {
	.name = "lifeboat-coordinator",
	.about = "plan runs, queue and lease jobs, keep logs and history",
	.commands = commands,
};

int main(int argc, char **argv) { return lb_main(&program, argc, argv); }
