/** The name of a host between KVM Managers: each names hosts as it likes, and knows them by their keys. */
import { createHash } from "node:crypto";

/** @param publicKey its KVM Manager's */
export const nameOfKey = (publicKey: string): string => createHash("sha256").update(publicKey).digest("hex");
