import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { listFiles, repository } from './markdown.ts';

const severities: ReadonlySet<string> = new Set(['info', 'warning', 'critical']);

/** An event of the sources: where its message is written, and the message with `{}` for each value. */
export interface WrittenEvent {
  readonly at: string;
  readonly message: string;
}

/**
 * Every event that the sources raise. An event is an object with `severity` and `message`, or a call with a severity as
 * an argument and the message after it. The message is a text or a template, a function that returns one, or a constant
 * that holds one.
 */
export function writtenEvents(): WrittenEvent[] {
  return listFiles('src')
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => eventsOf(file, readFileSync(join(repository, file), 'utf8')));
}

/** Finds the message in a cell of a table or in a line, with any word or text in the place of a value. */
export function messagePattern(message: string): RegExp {
  const parts = message.split('{}').map((part) => part.replaceAll(/[.*+?^$()[\]\\|{}]/g, '\\$&'));
  return new RegExp(parts.join('[^|\\n]*?'));
}

function eventsOf(file: string, text: string): WrittenEvent[] {
  if (!text.includes("'warning'") && !text.includes("'info'") && !text.includes("'critical'")) return [];
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: WrittenEvent[] = [];
  const visit = (node: ts.Node): void => {
    for (const message of messagesOf(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      found.push({ at: `${file}:${line + 1}`, message });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function messagesOf(node: ts.Node): readonly string[] {
  if (ts.isObjectLiteralExpression(node)) {
    const severity = property(node, 'severity');
    const message = property(node, 'message');
    return severity === null || message === null ? [] : texts(message);
  }
  if (!ts.isCallExpression(node)) return [];
  const at = node.arguments.findIndex(isSeverity);
  if (at < 0) return [];
  return node.arguments.slice(at + 1).flatMap((argument) => texts(argument).filter(isSentence));
}

function isSeverity(node: ts.Node): boolean {
  return texts(node).some((text) => severities.has(text)) || /severity/i.test(node.getText());
}

/** A category is one word in lower case. */
function isSentence(text: string): boolean {
  return !/^[\w.{}]*$/.test(text) && /^[A-Z{]/.test(text);
}

function property(object: ts.ObjectLiteralExpression, name: string): ts.Node | null {
  for (const each of object.properties) {
    if (each.name?.getText() !== name) continue;
    if (ts.isPropertyAssignment(each)) return each.initializer;
    if (ts.isShorthandPropertyAssignment(each)) return each.name;
  }
  return null;
}

/** The texts that an expression can be, with `{}` for each value. */
function texts(node: ts.Node): readonly string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isTemplateExpression(node)) {
    return [node.head.text + node.templateSpans.map(({ literal }) => `{}${literal.text}`).join('')];
  }
  if (ts.isConditionalExpression(node)) return [...texts(node.whenTrue), ...texts(node.whenFalse)];
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node)) return texts(node.expression);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
    return texts(node.left).flatMap((left) => texts(node.right).map((right) => left + right));
  }
  if (ts.isArrowFunction(node)) return ts.isBlock(node.body) ? [] : texts(node.body);
  const constant = ts.isIdentifier(node) ? initializerOf(node) : null;
  if (constant !== null) return texts(constant);
  return [];
}

/** The value of the constant of that name in the nearest block. */
function initializerOf(name: ts.Identifier): ts.Node | null {
  for (let scope: ts.Node = name.parent; ; scope = scope.parent) {
    const statements = 'statements' in scope ? (scope.statements as Iterable<ts.Statement>) : [];
    for (const statement of statements) {
      if (!ts.isVariableStatement(statement)) continue;
      const found = statement.declarationList.declarations.find((each) => each.name.getText() === name.text);
      if (found?.initializer !== undefined) return found.initializer;
    }
    if (ts.isSourceFile(scope)) return null;
  }
}
