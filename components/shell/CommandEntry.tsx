import { ERRORS } from "../../lib/contract/errors.ts";
import { inputFields, requiredFields, type RestRoute } from "../../lib/contract/rest.ts";
import { callLine, curlLine } from "../../lib/openapi/curl.ts";
import { schemaNotation } from "../../lib/openapi/schema_notation.ts";
import { reference as referenceTexts } from "../../lib/i18n/en/reference.ts";
import { translated } from "../../lib/i18n/locale.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const texts = textsOf(referenceTexts);

interface FieldSchema {
  readonly description?: string;
}

/**
 * One command of the API's reference.
 *
 * @param api address of the API on this server, up to `/api/v1`
 */
export function CommandEntry({ route, api }: { route: RestRoute; api: string }) {
  const { name, command, method, path } = route;
  const required = requiredFields(command);
  return (
    <section class="panel reference-command" id={name} aria-labelledby={`${name}-title`}>
      <h2 id={`${name}-title`}>
        <code>{name}</code>
      </h2>
      <p>
        {translated(command.summary)}. {translated(command.description ?? "")}
      </p>
      <p>
        <code>{method} /api/v1{path}</code> · {texts.t("reference.role", { role: command.role })}
      </p>
      {Object.keys(inputFields(command)).length > 0 && (
        <table class="table">
          <caption>{texts.t("reference.input")}</caption>
          <thead>
            <tr>
              <th scope="col">{texts.t("reference.field")}</th>
              <th scope="col">{texts.t("reference.schema")}</th>
              <th scope="col">{texts.t("reference.meaning")}</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(inputFields(command)).map(([field, schema]) => {
              const { description, ...rest } = schema as FieldSchema & Record<string, unknown>;
              return (
                <tr key={field}>
                  <th scope="row">
                    <code>{field}</code> {required.includes(field) ? texts.t("reference.required") : ""}
                  </th>
                  <td>
                    <code>{schemaNotation(rest)}</code>
                  </td>
                  <td>{translated(description ?? "")}</td>
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
      <h3>{texts.t("reference.example")}</h3>
      <pre tabIndex={0}>{`${curlLine(route, api)}\n${callLine(route)}`}</pre>
    </section>
  );
}
