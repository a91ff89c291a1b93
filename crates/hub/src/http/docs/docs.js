// Shows the hub's OpenAPI document and sends what one tries. The token lives in its field and nowhere
// else: no storage, no cookie, no address.

const METHODS = ["get", "post", "put", "patch", "delete"];

/** Makes an element: `make("p", { class: "faint" }, "text", otherElement)`. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** The part of the document that a `$ref` means. */
function resolve(api, schema) {
  let found = schema ?? {};
  for (let steps = 0; found.$ref && steps < 20; steps += 1) {
    found = found.$ref.slice(2).split("/").reduce((part, key) => part?.[key], api) ?? {};
  }
  return found;
}

/** A schema in a few words: `array of Task`, `integer`. */
function inWords(api, schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.type === "array") return `array of ${inWords(api, schema.items)}`;
  if (schema.enum) return schema.enum.map((word) => `"${word}"`).join(" | ");
  if (schema.oneOf) return schema.oneOf.map((one) => inWords(api, one)).filter((word) => word !== "null").join(" | ");
  const type = Array.isArray(schema.type) ? schema.type.filter((word) => word !== "null").join(" | ") : schema.type;
  return type ?? "any";
}

/** A schema as text, one line for each field, to a depth that one can read. */
function described(api, schema, depth = 0) {
  const whole = resolve(api, schema);
  if (whole.type === "array") return described(api, whole.items, depth);
  const parts = [whole, ...(whole.allOf ?? []).map((part) => resolve(api, part))];
  const lines = [];
  for (const part of parts) {
    for (const [name, field] of Object.entries(part.properties ?? {})) {
      const required = part.required?.includes(name) ? "" : "?";
      const note = (field.description ?? resolve(api, field).description ?? "").split("\n")[0];
      lines.push(`${"  ".repeat(depth)}${name}${required}: ${inWords(api, field)}${note ? `  — ${note}` : ""}`);
      const inner = resolve(api, field.type === "array" ? field.items : field);
      if (depth < 2 && (inner.properties || inner.allOf)) lines.push(...described(api, inner, depth + 1));
    }
  }
  return lines;
}

/** A body to begin from: every required field with an empty value. */
function example(api, schema) {
  const whole = resolve(api, schema);
  if (whole.enum) return whole.enum[0];
  const type = Array.isArray(whole.type) ? whole.type.find((word) => word !== "null") : whole.type;
  if (type === "array") return [];
  if (type === "integer" || type === "number") return whole.minimum ?? 0;
  if (type === "boolean") return false;
  if (type === "string") return "";
  const parts = [whole, ...(whole.allOf ?? []).map((part) => resolve(api, part))];
  const required = parts.flatMap((part) => (part.required ?? []).map((name) => [name, part.properties?.[name]]));
  return Object.fromEntries(required.map(([name, field]) => [name, example(api, field)]));
}

/** Text with what stands between backticks as code. */
function withCode(text) {
  return text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
}

/** One operation: what it is, what it takes, and a way to try it. */
function operation(api, path, method, about) {
  const inputs = new Map();
  const inside = make("div", { class: "inside" });
  const text = [about.summary, about.description].filter(Boolean).join("\n\n");
  const first = text.split(/(?<=\.)\s/, 1)[0];
  for (const paragraph of text.slice(first.length).split("\n\n")) {
    if (paragraph.trim()) inside.append(make("p", {}, ...withCode(paragraph)));
  }

  const parameters = about.parameters ?? [];
  if (parameters.length) {
    const fields = make("div", { class: "fields" });
    for (const parameter of parameters) {
      const input = make("input", { name: parameter.name, spellcheck: "false" });
      if (parameter.required) input.required = true;
      inputs.set(parameter, input);
      const label = `${parameter.name} (${parameter.in}${parameter.required ? ", required" : ""})`;
      fields.append(make("label", {}, label, input, make("small", {}, ...withCode(parameter.description ?? ""))));
    }
    inside.append(make("h3", {}, "Parameters"), fields);
  }

  const bodySchema = about.requestBody?.content?.["application/json"]?.schema;
  const body = bodySchema && make("textarea", { "aria-label": "Body", spellcheck: "false" });
  if (body) {
    body.value = JSON.stringify(example(api, bodySchema), null, 2);
    inside.append(make("h3", {}, "Body"), body, make("pre", {}, described(api, bodySchema).join("\n")));
  }

  for (const [status, response] of Object.entries(about.responses ?? {})) {
    if (status === "default") continue;
    const schema = Object.values(response.content ?? {})[0]?.schema;
    inside.append(make("h3", {}, `Answer ${status}: ${inWords(api, schema)} `, response.description ?? ""));
    const lines = described(api, schema);
    if (lines.length) inside.append(make("pre", {}, lines.join("\n")));
  }

  const answer = make("div", { class: "answer", "aria-live": "polite" });
  const send = make("button", { type: "submit" }, "Send");
  const form = make("form", {}, inside, make("div", { class: "inside" }, send, answer));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(path, method, inputs, body, answer);
  });
  const summary = make(
    "summary",
    {},
    make("span", { class: "method" }, method.toUpperCase()),
    make("span", { class: "path" }, path),
    make("span", { class: "faint" }, ...withCode(first)),
  );
  const details = make("details", { class: "operation", id: about.operationId ?? `${method} ${path}` }, summary, form);
  details.dataset.words = `${method} ${path} ${text} ${(about.tags ?? []).join(" ")}`.toLowerCase();
  return details;
}

/** Sends what was filled in and shows what came of it. */
async function attempt(path, method, inputs, body, answer) {
  const query = new URLSearchParams();
  const headers = {};
  let filled = path;
  for (const [parameter, input] of inputs) {
    const value = input.value.trim();
    if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value && parameter.in === "header") headers[parameter.name] = value;
    else if (value) query.set(parameter.name, value);
  }
  const token = document.querySelector("#token").value.trim();
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  const address = filled + (query.size ? `?${query}` : "");
  answer.replaceChildren(make("p", { class: "faint" }, `${method.toUpperCase()} ${address} …`));
  try {
    const response = await fetch(address, { method, headers, body: body?.value, credentials: "omit" });
    const type = response.headers.get("content-type") ?? "";
    const text = type.startsWith("text/event-stream")
      ? (response.body?.cancel(), "A stream: follow it with `curl -N`.")
      : pretty(await response.text());
    const sort = response.ok ? "good" : "bad";
    const head = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
    answer.replaceChildren(
      make("p", { class: `status ${sort}` }, `${response.status} ${method.toUpperCase()} ${address}`),
      make("pre", { "aria-label": "Headers of the answer" }, head),
      make("pre", { class: "body", "aria-label": "Answer" }, text),
    );
  } catch (error) {
    answer.replaceChildren(make("p", { class: "status bad" }, `No answer: ${error.message}`));
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** Shows only what has every word that is searched for. */
function search(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const section of document.querySelectorAll("#operations > section")) {
    let any = false;
    for (const one of section.querySelectorAll("details.operation")) {
      one.hidden = !wanted.every((word) => one.dataset.words.includes(word));
      any ||= !one.hidden;
      shown += Number(!one.hidden);
    }
    section.hidden = !any;
  }
  document.querySelector("#told").textContent = shown ? `${shown} operations` : "Nothing has all of these words.";
}

async function start() {
  const response = await fetch("/api/openapi.json");
  if (!response.ok) throw new Error(`the document is not there (${response.status})`);
  const api = await response.json();
  const groups = new Map();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((method) => item[method])) {
      const tag = item[method].tags?.[0] ?? "about";
      if (!groups.has(tag)) groups.set(tag, make("section", {}, make("h2", {}, tag)));
      groups.get(tag).append(operation(api, path, method, item[method]));
    }
  }
  const sorted = [...groups].sort(([a], [b]) => a.localeCompare(b)).map(([, section]) => section);
  document.querySelector("#operations").replaceChildren(...sorted);
  search("");
  document.querySelector("#search").addEventListener("input", (event) => search(event.target.value));
  document.getElementById(decodeURIComponent(location.hash.slice(1)))?.setAttribute("open", "");
}

start().catch((error) => {
  document.querySelector("#told").textContent = `The document cannot be shown: ${error.message}.`;
});
