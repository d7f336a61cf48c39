/** How consoles end. Apart from the schemas, because pages need it. */

/** Close codes of a console's WebSocket (RFC 6455, 7.4.2: 4000–4999 are ours). The reason that comes with them is for people. */
export const CONSOLE_CLOSE = {
  /** The one who looked is done. */
  done: 1000,
  /** The peer sent what the console's protocol does not have. */
  protocol: 1002,
  /** The VM stopped. */
  vmStopped: 4001,
  /** The VM runs, but its end of the console closed. */
  disconnected: 4002,
  /** The VM's end cannot be reached, or did not behave. */
  failed: 4003,
  /** Another session holds the VM's serial line. */
  inUse: 4004,
  /** Another session took the serial line over. */
  takenOver: 4005,
  /** The peer did not take what came as fast as it came. */
  tooSlow: 4006,
  /** The user has lost access: signed out, other rights, the VM moved to another group. */
  revoked: 4007,
} as const;
