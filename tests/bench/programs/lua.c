/* lua.c - Lua's interpreter on a script of ours: closures, tables, strings, numbers. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include <stdio.h>

static const char script[] =
	"local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end\n"
	"local words = {}\n"
	"for i = 1, 20000 do words[#words + 1] = string.format('%05d', (i * 7919) % 20000) end\n"
	"table.sort(words)\n"
	"local joined = table.concat(words)\n"
	"local count = 0\n"
	"for digits in joined:gmatch('1%d%d') do count = count + #digits end\n"
	"local sieve, primes = {}, 0\n"
	"for i = 2, 200000 do\n"
	"  if not sieve[i] then primes = primes + 1; for j = i * i, 200000, i do sieve[j] = true "
	"end end\n"
	"end\n"
	"local function adder(by) return function(x) return x + by end end\n"
	"local total = 0.5\n"
	"for i = 1, 200000 do total = adder(i)(total) % 1000003 end\n"
	"print('lua', fib(25), words[777], count, primes, total)\n";

int main(void)
{
	lua_State *lua = luaL_newstate();
	static const luaL_Reg libraries[] = { { LUA_GNAME, luaopen_base },
		                              { LUA_TABLIBNAME, luaopen_table },
		                              { LUA_STRLIBNAME, luaopen_string },
		                              { LUA_MATHLIBNAME, luaopen_math },
		                              { LUA_COLIBNAME, luaopen_coroutine } };
	int failed;

	if (lua == NULL)
		return 1;
	for (unsigned i = 0; i < sizeof libraries / sizeof *libraries; i++) {
		luaL_requiref(lua, libraries[i].name, libraries[i].func, 1);
		lua_pop(lua, 1);
	}
	failed = luaL_dostring(lua, script);
	if (failed)
		(void)fprintf(stderr, "%s\n", lua_tostring(lua, -1));
	lua_close(lua);
	return failed;
}
