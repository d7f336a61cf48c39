/** Operations that KVM Manager has begun and not settled, from its database. */
import { DatabaseSync } from "node:sqlite";

/** @returns each as its record, JSON */
export function openOperations(dataDir: string): string[] {
  using database = new DatabaseSync(`${dataDir}/kvm-manager.db`, { readOnly: true });
  return database.prepare("SELECT record FROM operations").all().map(({ record }) => String(record));
}
