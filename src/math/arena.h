/*
 * arena.h
 *		Cutting a caller's workspace into arrays.
 *
 * The same function that cuts also measures: over an arena without memory it
 * counts the bytes and hands out NULL. So a workspace is exactly as large as
 * what is cut from it, and a size that overflows stays at SIZE_MAX.
 */
#ifndef CLV_ARENA_H
#define CLV_ARENA_H

#include <stddef.h>
#include <stdint.h>

typedef struct ClvArena
{
	char *base; /* NULL: only measure */
	size_t used;
} ClvArena;

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
