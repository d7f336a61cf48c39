/** Where this process finds things: what settings depend on, and the server's socket. */

/** Name of the API socket in the runtime folder. */
export const SOCKET_FILE = "api.sock";

/** What settings depend on, of this process. */
export const where = () => ({ root: Deno.uid() === 0, env: (name: string) => Deno.env.get(name) });
