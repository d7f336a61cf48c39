/**
 * YAML, loaded where a verb reads or prints it. The bundler gives a CommonJS package's names to static imports alone: an
 * `import("yaml")` finds none of them in the packed program.
 */
export { parse, stringify } from "yaml";
