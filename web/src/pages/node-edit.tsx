import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { send } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import type { NodeDetail } from '../data/shapes.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { FormField } from '../parts/form-field.tsx';
import { useSubmission } from '../parts/submission.ts';

interface NodeEditProps {
  readonly node: NodeDetail;
  onClose(): void;
  onSaved(): void;
}

export function NodeEditDialog({ node, onClose, onSaved }: NodeEditProps) {
  // That of the values that are shown: what others change meanwhile is not overwritten.
  const { generation } = useRef(node).current;
  const name = useSignal(node.name);
  const description = useSignal(node.description);
  const region = useSignal(node.region ?? '');
  const address = useSignal(node.public_addr ?? '');
  const { refused, submit } = useSubmission(async () => {
    const body = {
      name: name.value,
      description: description.value,
      region: region.value || null,
      ...(node.kind === 'relay' && { public_addr: address.value || null }),
    };
    await send('PATCH', `nodes/${encodeURIComponent(node.id)}`, { body, generation });
    notify('ok', 'Saved.');
    onSaved();
    onClose();
  });
  return (
    <FormDialog title={`Edit ${node.name}`} action="Save" refused={refused} onSubmit={submit} onClose={onClose}>
      <FormField label="Name" of={name} required path="name" refused={refused} />
      <FormField label="Region" of={region} path="region" refused={refused} />
      {node.kind === 'relay' && (
        <FormField
          label="Public address"
          of={address}
          placeholder="relay.example:4433"
          hint="Where edges dial it. Empty: what the relay reports."
          path="public_addr"
          refused={refused}
        />
      )}
      <FormField label="Description" of={description} path="description" refused={refused} />
    </FormDialog>
  );
}
