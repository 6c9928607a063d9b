"""Stores of the delivery service (``e2ee.delivery.transaction.Store``) that outlive the process."""
