/* pwd.h - there are no users in WASI; SQLite's shell asks for one's home. */
struct passwd {
	char *pw_dir;
};
static inline struct passwd *getpwuid(unsigned id)
{
	(void)id;
	return 0;
}
