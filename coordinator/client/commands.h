/* commands.h - the commands of people: what each does with its command line.
 *
 * Layer: coordinator.  The program's table (coordinator/command) names them.
 */
#ifndef COORDINATOR_CLIENT_COMMANDS_H
#define COORDINATOR_CLIENT_COMMANDS_H

#include "base/io/args.h"

lb_err coord_cmd_up(struct lb_cli *cli);
lb_err coord_cmd_submit(struct lb_cli *cli);
lb_err coord_cmd_watch(struct lb_cli *cli);
lb_err coord_cmd_logs(struct lb_cli *cli);
lb_err coord_cmd_list(struct lb_cli *cli);
lb_err coord_cmd_rerun(struct lb_cli *cli);
lb_err coord_cmd_cancel(struct lb_cli *cli);

extern const struct lb_option coord_up_options[], coord_submit_options[], coord_client_options[],
	coord_rerun_options[], coord_list_options[];

#endif
