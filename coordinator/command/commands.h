/* commands.h - the commands that look after the coordinator itself; those of people are in client/.
 */
#ifndef COORDINATOR_COMMAND_COMMANDS_H
#define COORDINATOR_COMMAND_COMMANDS_H

#include "base/io/args.h"

lb_err coord_cmd_serve(struct lb_cli *cli);
lb_err coord_cmd_check(struct lb_cli *cli);

/* --state, else the usual place; in the command's arena. */
lb_err coord_find_state(const char **out, struct lb_cli *cli);

extern const struct lb_option coord_serve_options[], coord_check_options[];
extern const char coord_serve_details[], coord_check_details[];

#endif
