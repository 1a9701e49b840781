import { ErrorBoundary, LocationProvider, lazy, Route, Router } from 'preact-iso';
import { texts } from './i18n/index.ts';
import { HomePage } from './pages/browse/home.page.tsx';
import { ListPage } from './pages/browse/list.page.tsx';
import { ProductPage } from './pages/browse/product.page.tsx';
import { NotFoundPage } from './pages/not-found.page.tsx';
import { UnloadedPage } from './pages/unloaded.page.tsx';
import { Footer } from './shell/footer.tsx';
import { Header } from './shell/header.tsx';
import { Toasts } from './ui/toast.tsx';

/** A page that is loaded when somebody goes there. `lazy` alone would show nothing where that fails. */
const page = <T,>(load: () => Promise<{ default: T }>) =>
  lazy<T | typeof UnloadedPage>(() => load().catch(() => ({ default: UnloadedPage })));

const BasketPage = page(() => import('./pages/buying/basket.page.tsx'));
const CheckoutPage = page(() => import('./pages/buying/checkout.page.tsx'));
const OrdersPage = page(() => import('./pages/buying/orders.page.tsx'));
const OrderPage = page(() => import('./pages/buying/order.page.tsx'));
const SignInPage = page(() => import('./pages/account/sign-in.page.tsx'));
const SignUpPage = page(() => import('./pages/account/sign-up.page.tsx'));
const ForgottenPage = page(() => import('./pages/account/forgotten.page.tsx'));
const ResetPage = page(() => import('./pages/account/reset.page.tsx'));
const VerifyPage = page(() => import('./pages/account/verify.page.tsx'));
const AccountPage = page(() => import('./pages/account/account.page.tsx'));
const MyProductsPage = page(() => import('./pages/selling/products.page.tsx'));
const NewProductPage = page(() => import('./pages/selling/new-product.page.tsx'));
const EditProductPage = page(() => import('./pages/selling/edit-product.page.tsx'));
const SellingOrdersPage = page(() => import('./pages/selling/orders.page.tsx'));
const ImportPage = page(() => import('./pages/selling/import.page.tsx'));
const UsersPage = page(() => import('./pages/admin/users.page.tsx'));
const AllOrdersPage = page(() => import('./pages/admin/orders.page.tsx'));
const AuditPage = page(() => import('./pages/admin/audit.page.tsx'));

export function App() {
  return (
    <LocationProvider>
      <a class="skip visually-hidden" href="#content">
        {texts.value.shop.skip}
      </a>
      <Header />
      <Content />
      <Footer />
      <Toasts />
    </LocationProvider>
  );
}

function Content() {
  return (
    <main id="content" tabIndex={-1}>
      <ErrorBoundary>
        <Router>
          <Route path="/" component={HomePage} />
          <Route path="/products" component={ListPage} />
          <Route path="/products/:id" component={ProductPage} />
          <Route path="/basket" component={BasketPage} />
          <Route path="/checkout" component={CheckoutPage} />
          <Route path="/orders" component={OrdersPage} />
          <Route path="/orders/:id" component={OrderPage} />
          <Route path="/sign-in" component={SignInPage} />
          <Route path="/sign-up" component={SignUpPage} />
          <Route path="/forgotten-password" component={ForgottenPage} />
          <Route path="/reset-password" component={ResetPage} />
          <Route path="/verify-email" component={VerifyPage} />
          <Route path="/account" component={AccountPage} />
          <Route path="/selling" component={MyProductsPage} />
          <Route path="/selling/new" component={NewProductPage} />
          <Route path="/selling/orders" component={SellingOrdersPage} />
          <Route path="/selling/import" component={ImportPage} />
          <Route path="/selling/:id" component={EditProductPage} />
          <Route path="/admin" component={UsersPage} />
          <Route path="/admin/orders" component={AllOrdersPage} />
          <Route path="/admin/audit" component={AuditPage} />
          <Route default component={NotFoundPage} />
        </Router>
      </ErrorBoundary>
    </main>
  );
}
