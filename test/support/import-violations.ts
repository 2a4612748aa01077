import { cruise, type IForbiddenRuleType } from 'dependency-cruiser';

export interface CruiseOptions {
  readonly baseDir: string;
  readonly folders: string[];
  /** Whether imports count that exist for types only. */
  readonly typeImports: boolean;
}

/** What breaks the rules, as `rule: importer → imported`, and how many modules were looked at. */
export async function importViolations(
  rules: IForbiddenRuleType[],
  options: CruiseOptions,
): Promise<{ violations: string[]; modules: number }> {
  const { output } = await cruise(options.folders, {
    baseDir: options.baseDir,
    validate: true,
    ruleSet: { forbidden: rules },
    tsPreCompilationDeps: options.typeImports,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['node', 'import', 'types'] },
  });
  if (typeof output === 'string') throw new Error(`dependency-cruiser answered a text: ${output}`);
  return {
    violations: output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`),
    modules: output.modules.length,
  };
}
