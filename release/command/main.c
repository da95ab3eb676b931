/* main.c - lifeboat-release: packages, signs, publishes and verifies releases. */
#include "release/command/command.h"

static const struct lb_command commands[] = {
	{ .name = "package",
	  .operands = "",
	  .about = "pack a folder into an archive whose bytes depend on its content alone",
	  .options = release_package_options,
	  .run = release_cmd_package },
	{ .name = "publish",
	  .operands = "FILE...",
	  .about = "from a job: hand files to the signer, who signs and publishes them",
	  .options = release_publish_options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .run = release_cmd_publish,
	  .details = "The job needs `permissions: id-token: write`. Prints the addresses and the "
	             "public "
	             "key, and sets the outputs tarball (of the first file), public-key and url of "
	             "the step." },
	{ .name = "verify",
	  .operands = "FILE...",
	  .about = "check files against their signatures",
	  .options = release_verify_options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .run = release_cmd_verify,
	  .details = "Where the trusted comment names a file, the checked file must have that "
	             "name. Exits "
	             "1 when a signature is missing, does not hold, is another key's or another "
	             "file's, 3 when "
	             "a key or signature is malformed, 4 when something cannot be read." },
	{ .name = "keygen",
	  .operands = "",
	  .about = "make a key pair",
	  .options = release_keygen_options,
	  .run = release_cmd_keygen,
	  .details = "The password is a line of standard input. Existing files are never "
	             "overwritten. Prints the public key." },
	{ .name = "sign",
	  .operands = "FILE...",
	  .about = "sign files with a key on this machine: FILE.minisig",
	  .options = release_sign_options,
	  .operands_min = 1,
	  .operands_max = -1,
	  .run = release_cmd_sign,
	  .details = "The password of the key, where it has one, is a line of standard input." },
	{ .name = "signer",
	  .operands = "",
	  .about = "the process that holds the key: signs and publishes what the policy allows",
	  .options = release_signer_options,
	  .run = release_cmd_signer },
	{ .name = "host",
	  .operands = "",
	  .about = "serve the published releases",
	  .options = release_host_options,
	  .run = release_cmd_host },
	{ 0 },
};

static const struct lb_program program = {
	.name = "lifeboat-release",
	.about = "package, sign, publish and verify releases",
	.commands = commands,
	.details = "Keys and signatures are minisign's. See docs/release.md.",
};

int main(int argc, char **argv) { return lb_main(&program, argc, argv); }
