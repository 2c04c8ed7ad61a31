/*
 * arena.h
 *		Laying out arrays in a caller's workspace.
 *
 * The same function also measures: for an arena without memory it counts the bytes and returns
 * NULL. So a workspace has exactly the size of its arrays, and a size that overflows stays at
 * SIZE_MAX.
 */
#ifndef CLV_ARENA_H
#define CLV_ARENA_H

#include <stddef.h>
#include <stdint.h>

/* A workspace, and how much of it is used. */
typedef struct ClvArena
{
	char *base; /* NULL: only measure */
	size_t used;
} ClvArena;

/*
 * The next count elements of size bytes, aligned to 8 bytes; NULL when only measuring or on
 * overflow.
 */
static inline void *
clv_arena_take(ClvArena *arena, size_t count, size_t size)
{
	size_t at = arena->used;

	if (at > SIZE_MAX - 16 || (size > 0 && count > (SIZE_MAX - 16 - at) / size))
	{
		arena->used = SIZE_MAX;
		return NULL;
	}
	arena->used = (at + count * size + 7) & ~(size_t) 7;
	return arena->base == NULL ? NULL : arena->base + at;
}

#endif /* CLV_ARENA_H */
