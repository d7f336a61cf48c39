/** Bytes in the units that sizes are counted in. */

/** Bytes of a KiB. */
export const KIB = 1024;

/** Bytes of a MiB. */
export const MIB = 1024 ** 2;

/** Bytes of a GiB. */
export const GIB = 1024 ** 3;
