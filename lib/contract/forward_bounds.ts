/** Bounds of port forwards, without schemas: pages have them, too. */

/** Ports that one forward may move to other numbers; ranges that keep theirs are not bounded. */
export const MOST_MOVED_PORTS = 4096;
