/** Environment of this process: variables that settings depend on, and the server's socket. */

/** Name of the API socket in the runtime folder. */
export const SOCKET_FILE = "api.sock";

/** Whether this process is root's, and its environment variables. */
export const environment = () => ({ root: Deno.uid() === 0, env: (name: string) => Deno.env.get(name) });

/** Whether a server answers at the socket of a runtime folder. */
export async function isServing(runtimeDir: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path: `${runtimeDir}/${SOCKET_FILE}` })).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.ConnectionRefused) return false;
    if (error instanceof Deno.errors.PermissionDenied) return true; // somebody's, who lets others not in
    throw error;
  }
}
