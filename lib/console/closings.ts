/** Messages of a console page, instead of a screen or next to one: a table of states. */
import type { VM } from "../contract/mod.ts";

/** Why there is no picture, or none that moves. */
export type ScreenTrouble = "spice" | "none" | "off" | "suspended" | "paused";

/** Whether a VM has a VNC screen, another one, or none. */
export function screenKind({ graphics }: Pick<VM, "graphics">): "vnc" | "spice" | "none" {
  if (graphics.some(({ type }) => type === "vnc")) return "vnc";
  return graphics.some(({ type }) => type === "spice") ? "spice" : "none";
}

/** Whether there is a screen to connect to now. While a VM starts, its VNC server may not have port or password. */
export function hasScreenNow(vm: Pick<VM, "graphics" | "state" | "operation">): boolean {
  if (vm.operation === "starting") return false;
  return screenKind(vm) === "vnc" && (vm.state === "running" || vm.state === "paused");
}

/** Reason why the screen shows no live picture; null when it does. */
export function screenTrouble(vm: Pick<VM, "graphics" | "state">): ScreenTrouble | null {
  const kind = screenKind(vm);
  if (kind !== "vnc") return kind;
  if (vm.state === "running") return null;
  return vm.state === "paused" || vm.state === "suspended" ? vm.state : "off";
}
