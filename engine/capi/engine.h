/* engine.h - the engine for programs that embed it: <lifeboat/engine.h>.
 *
 * A module is made from bytes (engine/module.h), put to work in a store
 * (engine/store.h) with its imports found by name (engine/linker.h), and
 * called (engine/instance.h); what a program may touch of the system comes from
 * WASI (engine/wasi/wasi.h).  Errors are one word (base/err.h), memory comes
 * from the struct lb_mem that is passed (base/mem.h), and the library has no
 * state of its own.  Programs written for the standard C API use <wasm.h>, and
 * engine/capi/capi.h beside it.  Compile and link with `pkg-config lifeboat-engine`.
 */
#ifndef ENGINE_CAPI_ENGINE_H
#define ENGINE_CAPI_ENGINE_H

#include "base/platform/clock.h"
#include "engine/capi/capi.h"
#include "engine/instance.h"
#include "engine/linker.h"
#include "engine/module.h"
#include "engine/plugin/load.h"
#include "engine/snapshot/snapshot.h"
#include "engine/store.h"
#include "engine/trap.h"
#include "engine/wasi/wasi.h"

#endif
