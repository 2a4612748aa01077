import { useSignal } from '@preact/signals';
import { send } from '../data/api.ts';
import { attempt, notify } from '../data/notices.ts';
import { useRows, type Rows } from '../data/rows.ts';
import { me } from '../data/session.ts';
import type { UserRow } from '../data/shapes.ts';
import { AskButton } from '../parts/ask-button.tsx';
import { Button } from '../parts/button.tsx';
import { Card } from '../parts/card.tsx';
import { Choice } from '../parts/field.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { FormField } from '../parts/form-field.tsx';
import { Listing } from '../parts/listing.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { useSubmission } from '../parts/submission.ts';
import { SimpleTable, type Column } from '../parts/table.tsx';
import { When } from '../parts/when.tsx';
import { UserPasswordDialog } from './user-password.tsx';

const roles = [
  { value: 'viewer', word: 'Viewer: sees everything but secrets' },
  { value: 'operator', word: 'Operator: makes and changes tunnels, decides drift' },
  { value: 'admin', word: 'Administrator: nodes, keys, users' },
] as const;

export function UsersPage() {
  const rows = useRows<UserRow>('users', {});
  const adding = useSignal(false);
  return (
    <>
      <PageHead title="Users" lead="Who may sign in, and what they may do.">
        <Button icon="plus" kind="primary" onPress={() => (adding.value = true)}>
          Add user
        </Button>
      </PageHead>
      <Listing rows={rows} empty={null}>
        <Card>
          <SimpleTable label="Users" columns={columnsWith(rows)} items={rows.items.value} />
        </Card>
      </Listing>
      {adding.value && <UserDialog rows={rows} close={() => (adding.value = false)} />}
    </>
  );
}

function columnsWith(rows: Rows<UserRow>): readonly Column<UserRow>[] {
  return [
    {
      key: 'name',
      title: 'Name',
      width: 2,
      cell: (user) => (
        <span class="name-text">
          <bdi>{user.name}</bdi>
          <small class="muted">{user.sign_in === 'oidc' ? 'single sign-on' : 'password'}</small>
        </span>
      ),
    },
    { key: 'role', title: 'Role', width: 1.5, cell: (user) => <RoleChoice user={user} rows={rows} /> },
    { key: 'sessions', title: 'Sessions', width: 0.8, align: 'right', hide: 2, cell: (user) => user.sessions },
    {
      key: 'used',
      title: 'Last active',
      width: 1,
      hide: 2,
      cell: (user) => <When at={user.last_used_at} none="never" />,
    },
    { key: 'act', title: 'Actions', width: 2, align: 'right', cell: (user) => <UserActions user={user} rows={rows} /> },
  ];
}

function RoleChoice({ user, rows }: { user: UserRow; rows: Rows<UserRow> }) {
  const change = async (role: string) => {
    await attempt(() => send('PATCH', `users/${user.id}`, { body: { role } }), `${user.name} is ${role} now.`);
    rows.refresh();
  };
  return (
    <select
      aria-label={`Role of ${user.name}`}
      value={user.role}
      disabled={user.id === me.value?.id}
      onChange={(event) => void change(event.currentTarget.value)}
    >
      {roles.map(({ value }) => (
        <option key={value} value={value}>
          {value}
        </option>
      ))}
    </select>
  );
}

function UserActions({ user, rows }: { user: UserRow; rows: Rows<UserRow> }) {
  const own = user.id === me.value?.id;
  const disabled = user.disabled_at !== null;
  const settingPassword = useSignal(false);
  const toggle = async () => {
    const body = { disabled: !disabled };
    await attempt(
      () => send('PATCH', `users/${user.id}`, { body }),
      disabled ? 'Enabled.' : 'Disabled and signed out.',
    );
    rows.refresh();
  };
  const remove = async () => {
    await attempt(() => send('DELETE', `users/${user.id}`), `${user.name} is deleted.`);
    rows.refresh();
  };
  return (
    <span class="row-actions">
      {user.sign_in === 'password' && !own && (
        <Button small onPress={() => (settingPassword.value = true)}>
          Password
        </Button>
      )}
      {settingPassword.value && <UserPasswordDialog user={user} onClose={() => (settingPassword.value = false)} />}
      <Button small disabled={own} onPress={toggle}>
        {disabled ? 'Enable' : 'Disable'}
      </Button>
      <AskButton action="Delete" title={`Delete ${user.name}`} disabled={own} onConfirm={remove}>
        The user is signed out and cannot come back. What the user did stays in the audit trail.
      </AskButton>
    </span>
  );
}

function UserDialog({ rows, close }: { rows: Rows<UserRow>; close: () => void }) {
  const name = useSignal('');
  const password = useSignal('');
  const role = useSignal('viewer');
  const { refused, submit } = useSubmission(async () => {
    await send('POST', 'users', { body: { name: name.value, password: password.value, role: role.value } });
    notify('ok', `${name.value} may sign in now.`);
    rows.refresh();
    close();
  });
  return (
    <FormDialog title="Add user" action="Add" refused={refused} onSubmit={submit} onClose={close}>
      <FormField label="Name" of={name} required path="name" refused={refused} />
      <FormField
        label="Password"
        type="password"
        autocomplete="new-password"
        of={password}
        required
        hint="At least 12 characters. The user can change it."
        path="password"
        refused={refused}
      />
      <Choice label="Role" value={role.value} choices={roles} onValue={(text) => (role.value = text)} />
    </FormDialog>
  );
}
