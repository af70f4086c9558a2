// The declarations of licenses.go have no bodies; this file lets them.
