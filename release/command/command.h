/* command.h - the commands of lifeboat-release, and what they share.
 *
 * Layer: release/command.  Threads: one.
 */
#ifndef RELEASE_COMMAND_COMMAND_H
#define RELEASE_COMMAND_COMMAND_H

#include "base/io/args.h"
#include "base/io/log.h"
#include "release/keys/key.h"

extern const struct lb_option release_keygen_options[], release_sign_options[],
	release_verify_options[], release_signer_options[], release_host_options[],
	release_publish_options[], release_package_options[];

lb_err release_cmd_keygen(struct lb_cli *cli);
lb_err release_cmd_sign(struct lb_cli *cli);
lb_err release_cmd_verify(struct lb_cli *cli);
lb_err release_cmd_signer(struct lb_cli *cli);
lb_err release_cmd_host(struct lb_cli *cli);
lb_err release_cmd_publish(struct lb_cli *cli);
lb_err release_cmd_package(struct lb_cli *cli);

/* A line of standard input, without its end, into a buffer on release_locked_mem; on a terminal
 * asked for by `prompt` and not shown. */
lb_err release_read_password(struct lb_buf *out, struct lb_cli *cli, const char *prompt);

/* A secret key from a file, its password asked for where it has one. */
lb_err release_load_secret_key(struct release_secret_key **out, struct lb_cli *cli,
                               const char *path);

/* USAGE naming the option when it was not given. */
lb_err release_need(const char **out, struct lb_cli *cli, const char *option);

/* "ADDRESS:PORT" or "[ADDRESS]:PORT" of --listen; the address in the command's arena. */
lb_err release_listen(const char **address, uint16_t *port, struct lb_cli *cli);

/* Say where it listens, in the ready file too, and wait until asked to stop. */
lb_err release_serve(struct lb_cli *cli, const char *what, const char *address, uint16_t port);

#endif
