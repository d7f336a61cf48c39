/** KVM Manager's own version. Here alone: `deno.json` as a whole would be a part of each program that tells it. */
export const VERSION = "0.1.0";
