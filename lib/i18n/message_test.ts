import assert from "node:assert/strict";
import { ContractError } from "../contract/errors.ts";
import { addTexts, useLocale } from "./locale.ts";
import { message, render, rendered, renderPlain } from "./message.ts";

const LANGUAGE = "x-message-test";
addTexts(LANGUAGE, {
  "Invalid input: {reason}": "Falsche Eingabe: {reason}",
  "it has no TLS": "es hat kein TLS",
  "the folder {0} has {1}": "in {0} ist {1}",
  "a link in it": "ein Link",
  "Failed to make template: {error}": "Vorlage nicht erstellt: {error}",
  "make": "erstellen",
  "Start it first": "Starten Sie sie zuerst",
});

Deno.test("a phrase that fills a place is translated, also one of a message within a message", () => {
  const plain = new ContractError("InvalidInput", { reason: "it has no TLS" });
  const made = new ContractError("InvalidInput", {
    reason: message`the folder ${"/a"} has ${"a link in it"}`,
  });
  assert.equal(made.message, "Invalid input: the folder /a has a link in it");
  using _language = useLocale(() => LANGUAGE);
  assert.equal(plain.message, "Falsche Eingabe: es hat kein TLS");
  assert.equal(made.message, "Falsche Eingabe: in /a ist ein Link");
  assert.deepEqual(made.toJSON().details, { reason: "the folder /a has a link in it" });
});

Deno.test("a text of its verb is one whole text", () => {
  const error = new ContractError("TemplateFailed", { verb: "make", error: "no space" });
  assert.equal(error.message, "Failed to make template: no space");
  using _language = useLocale(() => LANGUAGE);
  assert.equal(error.message, "Vorlage nicht erstellt: no space");
  assert.equal(
    new ContractError("TemplateFailed", { verb: "constructor", error: "x" }).message,
    "Failed to constructor template: x",
  );
});

Deno.test("names of things are not translated, however they are called", () => {
  using _language = useLocale(() => LANGUAGE);
  assert.equal(
    render({
      $text: "{name} {pool} {0}",
      args: { name: "it has no TLS", pool: "Start it first", 0: "make" },
    }),
    "it has no TLS Start it first make",
  );
  assert.equal(render({ $text: "{verb}", args: { verb: "make" } }), "erstellen");
});

Deno.test("sentences of an answer are translated where they are whole, its other texts are not", () => {
  const answer = {
    name: "Start it first",
    reason: "make",
    remedy: "Start it first",
    notes: ["it has no TLS", "my own note"],
  };
  assert.deepEqual(rendered(answer), answer);
  using _language = useLocale(() => LANGUAGE);
  assert.deepEqual(rendered(answer), {
    ...answer,
    remedy: "Starten Sie sie zuerst",
    notes: ["es hat kein TLS", "my own note"],
  });
  assert.equal(
    renderPlain(message`the folder ${"/a"} has ${"a link in it"}`),
    "the folder /a has a link in it",
  );
});
