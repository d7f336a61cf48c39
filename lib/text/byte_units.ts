/** Bytes in the units that sizes are counted in. */

/** Bytes of a KiB. */
export const KIB = 1024;

/** Bytes of a MiB. */
export const MIB = 1024 ** 2;

/** Bytes of a GiB. */
export const GIB = 1024 ** 3;

/** Bits of a kilobyte (1,000 bytes) as limits of network interfaces count it: 125 of them are a megabit. */
export const BITS_OF_KILOBYTE = 8000;
