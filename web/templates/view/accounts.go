package view

// Account is a user's own page.
type Account struct {
	User, Account string
	Tabs          []Tab
	Roles         []RoleLine
	Password      PasswordForm
	Tokens        Tokens
	Sessions      []SessionRow
	Preferences   []Preference
	Same          SameBy
}

// RoleLine is a role in an account, in words.
type RoleLine struct{ Role, Account, Says string }

// PasswordForm sets a password. The fields are never filled in.
type PasswordForm struct {
	Action string
	Own    bool              // the old one is asked for
	Faults map[string]string // by field
}

// Tokens are a user's API tokens.
type Tokens struct {
	Rows   []TokenRow
	Form   TokenForm
	Made   string // the text of the one just made: shown this once
	Name   string // of that one
	Base   string // of the forms' addresses
	Add    bool
	Revoke bool
}

// TokenRow is one token.
type TokenRow struct {
	DOMID, ID, Name, Scope string
	State                  Pill
	Expires, Used, Made    Time
	By, Confirm            string
}

// TokenForm makes a token.
type TokenForm struct {
	Open           bool
	Name, Account  string
	Roles, Expires []Option
	Fault          string
	Faults         map[string]string
}

// SessionRow is one console login.
type SessionRow struct {
	DOMID               string
	This                bool
	Browser, Agent      string // in words, and as it calls itself
	Address             string
	Made, Seen, Expires Time
}

// Accounts is the list of all accounts.
type Accounts struct {
	Sub   string
	Tabs  []Tab
	Rows  []AccountRow
	Pager Pager
	Form  AccountForm
	Same  SameBy
}

// AccountRow is one account.
type AccountRow struct {
	DOMID, Name, Href, Email, Type string
	State                          Pill
	Left                           string // while it is deleted
	Made                           Time
	Moves                          []AccountMove
}

// AccountMove is a form that moves an account to a state.
type AccountMove struct{ To, Text, Confirm, Tone, Action string }

// AccountForm adds an account.
type AccountForm struct {
	Open               bool
	Name, Email, Fault string
}

// AccountPage is one account with its users.
type AccountPage struct {
	Row    AccountRow
	Tabs   []Tab
	Users  []UserRow
	Guests []UserRow // users of other accounts with a role here
	Pager  Pager
	Form   UserForm
	Add    bool
	Same   SameBy
}

// UserRow is one user.
type UserRow struct {
	DOMID, Name, Href, Account, Roles string
	Login                             Pill
	Made                              Time
}

// UserForm adds a user.
type UserForm struct {
	Open       bool
	Name       string
	Action     string
	Fault      string
	NameFault  string
	WordsFault string
}

// UserPage is one user of an account.
type UserPage struct {
	Name, Account, Base string
	Tabs                []Tab
	Login               Pill
	Made                Time
	Roles               []RoleChoice
	RolesWhy            string // why they cannot be altered
	Password            PasswordForm
	MayPassword         bool
	MayClear            bool
	MayRemove           bool
	Tokens              *Tokens
	Same                SameBy
}

// RoleChoice is one role to give.
type RoleChoice struct {
	Role, Says string
	Given      bool
}

// Audit is the log of what was altered.
type Audit struct {
	Sub                       string
	Tabs                      []Tab
	User, Action, Subject, In string
	Since, Before             string
	Outcomes                  []Option
	All, Any                  bool // all accounts may be asked for; something is filtered
	Rows                      []AuditRow
	Pager                     Pager
	CSV, NDJSON               string
	Same                      SameBy
}

// AuditRow is one entry.
type AuditRow struct {
	DOMID                                          string
	At                                             Time
	User, UserHref, Action, Subject, Account, From string
	Details                                        []Fact
	Outcome                                        Pill
}
