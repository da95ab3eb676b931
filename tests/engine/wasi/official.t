#!/bin/sh
# official.t - the official tests of WASI preview 1, where they are.
#
# WASI_TESTSUITE names a checkout of github.com/WebAssembly/wasi-testsuite, branch
# prod/testsuite-base (the one with compiled tests).  Each test has a .json beside it when it wants
# arguments, variables, a folder or a certain end.
cd "${LB_TOP:-.}" || exit 1
engine=${LB_BUILD:-build}/lifeboat-engine
suite=${WASI_TESTSUITE:-}
if [ -z "$suite" ]; then
	echo "1..0 # SKIP WASI_TESTSUITE is not set"
	exit 0
fi
command -v python3 >/dev/null 2>&1 || {
	echo "1..0 # SKIP python3 is not installed, which reads what the tests expect"
	exit 0
}
exec python3 - "$engine" "$suite" <<'END'
import glob, json, os, shutil, subprocess, sys, tempfile

engine, suite = sys.argv[1:]
failed = 0
tests = sorted(glob.glob(os.path.join(suite, "tests/*/testsuite/wasm32-wasip1/*.wasm")))
for number, test in enumerate(tests, 1):
    beside = test[: -len("wasm")] + "json"
    how = json.load(open(beside)) if os.path.exists(beside) else {}
    words = [engine, "run"]
    with tempfile.TemporaryDirectory() as work:
        for name, value in how.get("env", {}).items():
            words += ["--env", f"{name}={value}"]
        # The tests change their folder.
        if "root" in how:
            shutil.copytree(os.path.join(os.path.dirname(test), how["root"]), work + "/root")
            words += ["--dir", work + "/root::/"]
        ended = subprocess.run(words + [test] + how.get("args", []), stdin=subprocess.DEVNULL,
                               capture_output=True, timeout=60)
    good = ended.returncode == how.get("exit_code", 0) and how.get("stdout") in (None, ended.stdout.decode())
    print("ok" if good else "not ok", number, "-", os.path.basename(test))
    if not good:
        failed = 1
        print(f"# exit status {ended.returncode}")
        for line in ended.stderr.decode(errors="replace").splitlines():
            print("#", line)
print(f"1..{len(tests)}")
sys.exit(failed)
END
