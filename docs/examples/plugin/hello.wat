;; hello.wat - says hello, louder: a WASI program that uses the plug-in of shout.c.
(module
  (import "shout" "upper" (func $upper (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "hello, sailor")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 16))
    (i32.store (i32.const 4) (call $upper (i32.const 16) (i32.const 13) (i32.const 40)))
    (i32.store8 (i32.add (i32.const 16) (i32.load (i32.const 4))) (i32.const 10))
    (i32.store (i32.const 4) (i32.add (i32.load (i32.const 4)) (i32.const 1)))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
