/** A value at a path of object keys; `undefined` removes the key. */
export interface JsonEdit {
  readonly path: readonly string[];
  readonly value: unknown;
}

interface Member {
  readonly key: string;
  readonly keyStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

interface ObjectSpan {
  readonly open: number;
  readonly close: number;
  readonly members: readonly Member[];
}

const whitespace = /\s/;

/**
 * Changes keys of a JSON object text and leaves every other byte as its author wrote it: order, indentation, number
 * spelling. The file belongs to the operator, so a parse and re-print is not good enough.
 * Throws a SyntaxError when the text is not JSON, a TypeError when the root or a value on the path is not an object.
 */
export function editJson(text: string, edits: readonly JsonEdit[]): string {
  let edited = text;
  for (const { path, value } of edits) {
    JSON.parse(edited);
    edited = value === undefined ? removeAt(edited, path) : setAt(edited, path, value);
  }
  return edited;
}

function setAt(text: string, path: readonly string[], value: unknown): string {
  let span = scanObject(text, skipWhitespace(text, 0));
  for (const [depth, key] of path.entries()) {
    const rest = path.slice(depth + 1);
    const member = findMember(span, key);
    if (member === undefined) return insertMember(text, span, key, nest(rest, value), depth);
    if (rest.length === 0) return replaceValue(text, member, value, depth);
    span = scanObject(text, member.valueStart);
  }
  return text;
}

function removeAt(text: string, path: readonly string[]): string {
  let span = scanObject(text, skipWhitespace(text, 0));
  for (const [depth, key] of path.entries()) {
    const member = findMember(span, key);
    if (member === undefined) return text;
    if (depth === path.length - 1) return removeMember(text, span, member);
    span = scanObject(text, member.valueStart);
  }
  return text;
}

function nest(path: readonly string[], value: unknown): unknown {
  return path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), value);
}

/** Of a repeated key JSON.parse takes the last one, so that is the one to edit. */
function findMember(span: ObjectSpan, key: string): Member | undefined {
  return span.members.findLast((member) => member.key === key);
}

function replaceValue(text: string, member: Member, value: unknown, depth: number): string {
  const printed = print(value, indentOf(text), depth);
  return text.slice(0, member.valueStart) + printed + text.slice(member.valueEnd);
}

function insertMember(text: string, span: ObjectSpan, key: string, value: unknown, depth: number): string {
  const last = span.members.at(-1);
  const indent = indentOf(text);
  const name = `${JSON.stringify(key)}:${indent === null ? '' : ' '}`;
  const printed = name + print(value, indent, depth);
  if (last === undefined) {
    const before = indent === null ? '' : `\n${indent.repeat(depth + 1)}`;
    const after = indent === null ? '' : `\n${indent.repeat(depth)}`;
    return `${text.slice(0, span.open + 1)}${before}${printed}${after}${text.slice(span.close)}`;
  }
  const separator = text.slice(precedingGap(text, span, last), last.keyStart);
  return `${text.slice(0, last.valueEnd)},${separator}${printed}${text.slice(last.valueEnd)}`;
}

function removeMember(text: string, span: ObjectSpan, member: Member): string {
  const index = span.members.indexOf(member);
  const next = span.members[index + 1];
  if (next !== undefined) return text.slice(0, member.keyStart) + text.slice(next.keyStart);
  const previous = span.members[index - 1];
  return text.slice(0, previous?.valueEnd ?? span.open + 1) + text.slice(previous ? member.valueEnd : span.close);
}

/** Where the white space in front of a member begins. */
function precedingGap(text: string, span: ObjectSpan, member: Member): number {
  const previous = span.members[span.members.indexOf(member) - 1];
  return previous === undefined ? span.open + 1 : skipWhitespace(text, previous.valueEnd) + 1;
}

/** One level of indentation as the text uses it; null where everything is on one line. */
function indentOf(text: string): string | null {
  const indented = /\n([ \t]+)\S/.exec(text);
  if (indented?.[1] !== undefined) return indented[1];
  return text.trim() === '{}' ? '  ' : null;
}

function print(value: unknown, indent: string | null, depth: number): string {
  if (indent === null) return JSON.stringify(value);
  return JSON.stringify(value, null, indent).replaceAll('\n', `\n${indent.repeat(depth + 1)}`);
}

/** The text is known to be JSON here, so scanning needs no error cases beyond "not an object". */
function scanObject(text: string, open: number): ObjectSpan {
  if (text[open] !== '{') throw new TypeError('a value on the path is not a JSON object');
  const members: Member[] = [];
  let at = skipWhitespace(text, open + 1);
  while (text[at] !== '}') {
    const keyEnd = skipString(text, at);
    const valueStart = skipWhitespace(text, skipWhitespace(text, keyEnd) + 1);
    const valueEnd = skipValue(text, valueStart);
    members.push({ key: JSON.parse(text.slice(at, keyEnd)) as string, keyStart: at, valueStart, valueEnd });
    at = skipWhitespace(text, valueEnd);
    if (text[at] === ',') at = skipWhitespace(text, at + 1);
  }
  return { open, close: at, members };
}

function skipWhitespace(text: string, at: number): number {
  let end = at;
  while (whitespace.test(text.charAt(end))) end++;
  return end;
}

function skipString(text: string, open: number): number {
  let at = open + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function skipValue(text: string, start: number): number {
  const first = text.charAt(start);
  if (first === '"') return skipString(text, start);
  if (first !== '{' && first !== '[') return start + text.slice(start).search(/[\s,\]}]/);
  let depth = 0;
  let at = start;
  do {
    const char = text.charAt(at);
    if (char === '{' || char === '[') depth++;
    if (char === '}' || char === ']') depth--;
    at = char === '"' ? skipString(text, at) : at + 1;
  } while (depth > 0);
  return at;
}
