import type { User } from '@shop/client';
import type { ComponentChildren } from 'preact';
import { texts } from '../../i18n/index.ts';
import { Page } from '../../ui/page.tsx';
import { Empty } from '../../ui/states.tsx';
import { RequireUser } from '../require-user.tsx';
import { Tabs } from '../selling/layout.tsx';

interface AdminPageProps {
  title: string;
  children: (user: User) => ComponentChildren;
}

/** What is hidden here the API refuses, too. */
export function AdminPage({ title, children }: AdminPageProps) {
  const { admin } = texts.value;
  return (
    <RequireUser>
      {(user) =>
        user.role === 'admin' ? (
          <Page
            title={title}
            before={
              <Tabs
                label={admin.title}
                links={[
                  ['/admin', admin.users],
                  ['/admin/orders', admin.orders],
                  ['/admin/audit', admin.audit],
                ]}
              />
            }
          >
            {children(user)}
          </Page>
        ) : (
          <Empty icon="alert" title={admin.onlyAdmins} isPage />
        )
      }
    </RequireUser>
  );
}
