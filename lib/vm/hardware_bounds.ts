/** The contract's bounds of the hardware, as plain values for the forms. On the server alone: schemas are heavy. */
import {
  CPU_MODES,
  CpuCount,
  FIRMWARES,
  HardwareChange,
  MemoryMb,
  SOUND_CARDS,
  VIDEO_MODELS,
  WATCHDOG_ACTIONS,
  WATCHDOG_MODELS,
} from "../contract/mod.ts";
import type { Bounds } from "./hardware_form.ts";

/** A schema's bound, which it must have. */
function bound(schema: object, name: "minimum" | "maximum" | "maxLength"): number {
  const value = (schema as Record<string, unknown>)[name];
  if (typeof value !== "number") throw new TypeError(`a schema has no ${name}`);
  return value;
}

/** Bounds from the contract for the forms. */
export const BOUNDS: Bounds = {
  maxCpus: bound(CpuCount, "maximum"),
  minMemoryMb: bound(MemoryMb, "minimum"),
  maxMemoryMb: bound(MemoryMb, "maximum"),
  longestTitle: bound(HardwareChange.properties.title, "maxLength"),
  longestDescription: bound(HardwareChange.properties.description, "maxLength"),
  cpuModes: CPU_MODES,
  firmwares: FIRMWARES,
  videos: VIDEO_MODELS,
  sounds: SOUND_CARDS,
  watchdogs: WATCHDOG_MODELS,
  watchdogActions: WATCHDOG_ACTIONS,
};
