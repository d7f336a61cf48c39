import { ERRORS } from "../lib/contract/errors.ts";
import { fields, IN_QUERY, requiredFields, type RestRoute } from "../lib/contract/rest.ts";
import { reference as referenceTexts } from "../lib/i18n/en/reference.ts";
import { textsOf } from "../lib/i18n/mod.ts";

const texts = textsOf(referenceTexts);

/** A value a field may have, for the example. */
const EXAMPLE: Readonly<Record<string, unknown>> = {
  string: "…",
  boolean: true,
  integer: 1,
  number: 1,
  array: ["…"],
};

interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
}

/** A call one can paste into a shell. */
function example({ name, command, method, path, pathFields }: RestRoute): string {
  const address = `http://127.0.0.1:8440/api/v1${path.replace(/\{\w+\}/g, "…")}`;
  const body = Object.entries(fields(command))
    .filter(([field]) => !pathFields.includes(field) && requiredFields(command).includes(field))
    .map(([field, schema]) => [field, EXAMPLE[(schema as FieldSchema).type ?? "string"]]);
  const json = JSON.stringify(Object.fromEntries(body));
  const data = IN_QUERY.has(method) || body.length === 0
    ? ""
    : ` -H 'content-type: application/json' -d '${json}'`;
  const input = JSON.stringify(
    Object.fromEntries(
      requiredFields(command).map((field) => [
        field,
        EXAMPLE[(fields(command)[field] as FieldSchema | undefined)?.type ?? "string"],
      ]),
    ),
  );
  const call = `kvm-manager call ${name}${input === "{}" ? "" : ` '${input}'`}`;
  return `curl${method === "GET" ? "" : ` -X ${method}`}${data} ${address}\n${call}`;
}

/** One command of the API's reference. */
export function CommandEntry({ route }: { route: RestRoute }) {
  const { name, command, method, path } = route;
  const required = requiredFields(command);
  return (
    <section class="panel reference-command" id={name} aria-labelledby={`${name}-title`}>
      <h2 id={`${name}-title`}>
        <code>{name}</code>
      </h2>
      <p>
        {command.summary}. {command.description}
      </p>
      <p>
        <code>{method} /api/v1{path}</code> · {texts.t("reference.role", { role: command.role })}
      </p>
      {Object.keys(fields(command)).length > 0 && (
        <table class="plain-table">
          <caption>{texts.t("reference.input")}</caption>
          <thead>
            <tr>
              <th scope="col">{texts.t("reference.field")}</th>
              <th scope="col">{texts.t("reference.schema")}</th>
              <th scope="col">{texts.t("reference.meaning")}</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(fields(command)).map(([field, schema]) => {
              const { description, ...rest } = schema as FieldSchema & Record<string, unknown>;
              return (
                <tr key={field}>
                  <th scope="row">
                    <code>{field}</code> {required.includes(field) ? texts.t("reference.required") : ""}
                  </th>
                  <td>
                    <code>{JSON.stringify(rest)}</code>
                  </td>
                  <td>{description ?? ""}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      <details>
        <summary>{texts.t("reference.output")}</summary>
        <pre tabIndex={0}>{JSON.stringify(command.output, null, 2)}</pre>
      </details>
      {command.errors.length > 0 && (
        <>
          <h3>{texts.t("reference.errors")}</h3>
          <ul>
            {command.errors.map((code) => (
              <li key={code}>
                <code>{code}</code> ({ERRORS[code].status}): {ERRORS[code].text}
              </li>
            ))}
          </ul>
        </>
      )}
      <pre tabIndex={0}>{example(route)}</pre>
    </section>
  );
}
