import { useSignal } from '@preact/signals';
import { ApiError, send } from '../data/api.ts';
import { notify } from '../data/notices.ts';
import type { NodeDetail } from '../data/shapes.ts';
import { Field } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';

interface NodeEditProps {
  readonly node: NodeDetail;
  onClose(): void;
  onSaved(): void;
}

export function NodeEditDialog({ node, onClose, onSaved }: NodeEditProps) {
  const name = useSignal(node.name);
  const description = useSignal(node.description);
  const region = useSignal(node.region ?? '');
  const address = useSignal(node.public_addr ?? '');
  const error = useSignal<ApiError | null>(null);
  const submit = async () => {
    try {
      const body = {
        name: name.value,
        description: description.value,
        region: region.value || null,
        ...(node.kind === 'relay' && { public_addr: address.value || null }),
      };
      await send('PATCH', `nodes/${encodeURIComponent(node.id)}`, { body, generation: node.generation });
      notify('ok', 'Saved.');
      onSaved();
      onClose();
    } catch (thrown) {
      error.value = thrown instanceof ApiError ? thrown : null;
    }
  };
  const refused = error.value;
  return (
    <FormDialog title={`Edit ${node.name}`} action="Save" refused={refused} onSubmit={submit} onClose={onClose}>
      <Field
        label="Name"
        value={name.value}
        required
        error={refused?.field('name')}
        onValue={(text) => (name.value = text)}
      />
      <Field
        label="Region"
        value={region.value}
        error={refused?.field('region')}
        onValue={(text) => (region.value = text)}
      />
      {node.kind === 'relay' && (
        <Field
          label="Public address"
          value={address.value}
          placeholder="relay.example:4433"
          hint="Where edges dial it. Empty: what the relay reports."
          error={refused?.field('public_addr')}
          onValue={(text) => (address.value = text)}
        />
      )}
      <Field
        label="Description"
        value={description.value}
        error={refused?.field('description')}
        onValue={(text) => (description.value = text)}
      />
    </FormDialog>
  );
}
