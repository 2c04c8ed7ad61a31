/*
 * hash.h
 *		A hash of 64 bits for hash tables of doubles.
 */
#ifndef CLV_COMMON_HASH_H
#define CLV_COMMON_HASH_H

/* A hash of all bits, the lower of which are 0 in round numbers (the finalizer of MurmurHash3). */
static inline uint32
clv_hash_bits(uint64 bits)
{
	bits ^= bits >> 33;
	bits *= UINT64CONST(0xff51afd7ed558ccd);
	bits ^= bits >> 33;
	bits *= UINT64CONST(0xc4ceb9fe1a85ec53);
	return (uint32) (bits ^ bits >> 33);
}

#endif /* CLV_COMMON_HASH_H */
