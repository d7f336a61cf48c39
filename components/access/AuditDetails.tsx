import type { ComponentChildren } from "preact";
import type { AuditEntry } from "../../lib/contract/mod.ts";
import { parseJson } from "../../lib/text/json.ts";
import { oneLine } from "../../lib/text/text.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { number, type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { Fact } from "../kit/Fact.tsx";

const { t } = textsOf(access);

/** Door → the word for it. Another is shown as it is. */
const DOORS: Readonly<Record<string, PlainKeyOf<typeof access>>> = {
  page: "access.door_page",
  api: "access.door_api",
  socket: "access.door_socket",
  mcp: "access.door_mcp",
  grpc: "access.door_grpc",
  schedule: "access.door_schedule",
  agent: "access.door_agent",
};

/** The word for what somebody came by. */
export const doorText = (door: string): string =>
  Object.hasOwn(DOORS, door) ? t(DOORS[door]!) : oneLine(door, 20);

/** The input of a command, a field each; null where it is no object any more. */
function inputFields(input: string): readonly (readonly [string, string])[] | null {
  try {
    const fields = parseJson(input);
    if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return null;
    return Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value, null, 2),
    ]);
  } catch (error) {
    // Long inputs are kept in part.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Input of a command. */
function Arguments({ input }: { input: string }) {
  const fields = inputFields(input);
  if (fields?.length === 0) return null;
  return (
    <section>
      <h3>{t("access.audit_input")}</h3>
      {fields === null ? <code class="anywhere">{input}</code> : (
        <dl>
          {fields.map(([name, value]) => (
            <Fact key={name} label={name}>
              <code class="anywhere">{value}</code>
            </Fact>
          ))}
        </dl>
      )}
    </section>
  );
}

/** Everything that is kept of an entry. */
export function AuditDetails({ entry }: { entry: AuditEntry }) {
  const { id, door, address, client, host, action, vmId, message, input, tookMs } = entry;
  const code = (text: string | null) => text !== null && <code class="anywhere">{oneLine(text)}</code>;
  const facts: [string, ComponentChildren][] = [
    [t("access.audit_number"), String(id)],
    [t("access.audit_command"), code(action)],
    [t("access.audit_door"), doorText(door)],
    [t("access.session_from"), code(address)],
    [t("access.audit_client"), code(client ?? null)],
    [t("access.audit_host"), code(host)],
    [t("access.audit_vm_id"), code(vmId)],
    [t("access.audit_took"), tookMs !== null && t("access.audit_ms", { n: number(Math.round(tookMs)) })],
    [t("access.audit_message"), message],
  ];
  return (
    <div class="audit-details">
      <dl class="description-list">
        {facts.map(([label, value]) => value && <Fact key={label} label={label}>{value}</Fact>)}
      </dl>
      {input !== null && <Arguments input={input} />}
    </div>
  );
}
